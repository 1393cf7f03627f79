package hostile_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"testing"

	"github.com/crosscut-go/crosscut/internal/racing"
)

// most is what a denial may allocate, whatever the body.
const most = 64 << 10

// body is what a stranger sends: from a usual one to far more than any limit.
type body struct {
	name, encoding string
	bytes          []byte
}

func bodies() []body {
	var all []body
	for _, n := range []int{1 << 10, 64 << 10, 1 << 20, 30 << 20} {
		all = append(all, body{name: fmt.Sprint(n, " bytes"), encoding: "identity", bytes: make([]byte, n)})
	}
	return append(all, body{"a bomb", "gzip", gzipBomb()})
}

// counted is a body that knows how much of it was read.
type counted struct {
	io.Reader
	read int
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	c.read += n
	return n, err //nolint:wrapcheck // it stands for the other reader
}

// TestDenialCost: not a byte of a stranger's body is read over HTTP, and refusing it
// takes as many allocations for 30 MiB as for one KiB. It is not parallel, because it
// counts allocations.
func TestDenialCost(t *testing.T) {
	if racing.Enabled {
		t.Skip("the race detector allocates as well")
	}
	for _, d := range []door{rest, restMux, inside, plain} {
		s := newSite(t, d, options{})
		var first float64
		for i, b := range bodies() {
			read := 0
			deny := func() {
				from := &counted{Reader: bytes.NewReader(b.bytes)}
				rec := httptest.NewRecorder()
				s.handler.ServeHTTP(rec, s.stranger(b, from))
				if rec.Code != http.StatusUnauthorized {
					t.Fatalf("%s: %s: %d", d, b.name, rec.Code)
				}
				read += from.read
			}
			allocs, size := testing.AllocsPerRun(100, deny), allocated(100, deny)
			if i == 0 {
				first = allocs
				t.Logf("%s: %v allocations, %d bytes", d, allocs, size)
			}
			if read != 0 || allocs != first || size > most {
				t.Errorf("%s: %s: %d bytes read, %v allocations (%v for the first), %d bytes allocated", d, b.name, read, allocs, first, size)
			}
		}
	}
}

// stranger is a request to create something, without a credential.
func (s *site) stranger(b body, from io.Reader) *http.Request {
	a, _, _ := create.over(s.door)
	r := httptest.NewRequest(a.verb, a.target, from)
	r.ContentLength = int64(len(b.bytes))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Content-Encoding", b.encoding)
	return r
}

// TestDenialCostOfRPCs: over HTTP/2 a stranger may have sent a window before the answer
// is there, and no more than that is taken, also under net/http, where grpc-go by itself
// would read ahead of the hooks.
func TestDenialCostOfRPCs(t *testing.T) {
	if racing.Enabled {
		t.Skip("the race detector allocates as well")
	}
	for _, d := range []door{wire, mounted} {
		s := newSite(t, d, options{})
		for _, b := range bodies() {
			flag := map[string]byte{"gzip": 1}[b.encoding]
			a, _, _ := create.over(d)
			a.fields, a.raw = append(a.fields, "grpc-encoding: "+b.encoding), []byte(frame(flag, b.bytes))
			c := newH2(t, s.addr)
			most, window := most+initialWindow, 0
			deny := func() {
				s.answered(t, c.ask(a), unauthenticated)
				window = max(window, len(a.raw)-len(c.unsent))
			}
			deny() // opens the connection
			size := allocated(20, deny)
			t.Logf("%s: %s: %d bytes allocated by server and client, at most %d taken", d, b.name, size, window)
			if size > most || window > 2*initialWindow {
				t.Errorf("%s: %s: %d bytes allocated by server and client, want less than %d; %d bytes of the body were taken", d, b.name, size, most, window)
			}
			c.close()
		}
	}
}

// allocated is how many bytes f allocates, on average of n times.
func allocated(n int, f func()) int {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range n {
		f()
	}
	runtime.ReadMemStats(&after)
	return int(after.TotalAlloc-before.TotalAlloc) / n
}
