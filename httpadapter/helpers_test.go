package httpadapter_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/crosscut-go/crosscut/httpadapter"
	"github.com/crosscut-go/crosscut/interceptor"
)

// trace records what the hooks of a stack saw. Every hook is named by a digit.
type trace struct {
	mu      sync.Mutex
	events  []string
	ends    chan end
	reports []error
}

// end is what the outermost hook saw in AfterResponse.
type end struct {
	err    error
	code   string
	status int
	method string
	route  string
	sent   interceptor.Count
	call   *interceptor.Call
}

func newTrace() *trace { return &trace{ends: make(chan end, 100)} }

func (tr *trace) add(event string) {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	tr.events = append(tr.events, event)
}

func (tr *trace) String() string {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	return strings.Join(tr.events, " ")
}

func (tr *trace) reported() []error {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	return slices.Clone(tr.reports)
}

// end waits for the end of a call. AfterResponse runs when the client may have
// its answer already.
func (tr *trace) end(t *testing.T) end {
	t.Helper()
	select {
	case e := <-tr.ends:
		return e
	case <-time.After(time.Minute): // only where it would never come
		t.Fatalf("no AfterResponse after %s", tr)
		return end{}
	}
}

// want checks the phases that have run.
func (tr *trace) want(t *testing.T, phases string) {
	t.Helper()
	if got := tr.String(); got != phases {
		t.Errorf("phases\n got %s\nwant %s", got, phases)
	}
}

// hook returns a hook that records its phases; change may replace some of them,
// calling the recording ones or not.
func (tr *trace) hook(name string, change func(f *interceptor.Funcs)) interceptor.Hook {
	f := interceptor.Funcs{
		BeforeRequest: func(ctx context.Context, _ *interceptor.Call) (context.Context, error) {
			tr.add("BR" + name)
			return ctx, nil
		},
		BeforeHandler: func(ctx context.Context, _ *interceptor.Call, m *interceptor.Method) (context.Context, error) {
			tr.add("BH" + name)
			return ctx, nil
		},
		OnError: func(_ context.Context, _ *interceptor.Call, err error) error {
			tr.add("OE" + name)
			return err
		},
		BeforeResponse: func(context.Context, *interceptor.Call) error {
			tr.add("RS" + name)
			return nil
		},
		AfterResponse: func(_ context.Context, call *interceptor.Call) {
			tr.add("AR" + name)
			if name == "1" {
				tr.ends <- end{call.Err(), call.Code().String(), call.HTTPStatus(), call.Method().Name(), call.Route(), call.Sent(), call}
			}
		},
	}
	if change != nil {
		change(&f)
	}
	return interceptor.FromFuncs(name, f)
}

// stack returns a stack of the hooks that reports to the trace.
func (tr *trace) stack(hooks ...interceptor.Hook) *interceptor.Stack {
	return interceptor.MustNew(hooks...).ReportTo(func(_ context.Context, _ *interceptor.Call, err error) {
		tr.mu.Lock()
		defer tr.mu.Unlock()
		tr.reports = append(tr.reports, err)
	})
}

// two returns a stack of two recording hooks, the inner one changed.
func (tr *trace) two(change func(f *interceptor.Funcs)) *interceptor.Stack {
	return tr.stack(tr.hook("1", nil), tr.hook("2", change))
}

// handler returns a handler that records that it ran.
func (tr *trace) handler(h http.HandlerFunc) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		tr.add("HND")
		if h != nil {
			h(w, r)
		}
	})
}

// muxWith returns a mux with one route.
func muxWith(stack *interceptor.Stack, pattern string, h http.Handler, opts ...httpadapter.MuxOption) *httpadapter.Mux {
	mux := httpadapter.NewMux(stack, opts...)
	mux.Handle(pattern, h)
	return mux
}

// serveHTTP starts a server for HTTP/1.1.
func serveHTTP(t *testing.T, h http.Handler) *server {
	t.Helper()
	return serveOn(t, h, func(s *httptest.Server) { s.Start() })
}

// serveHTTP2 starts a server whose client speaks HTTP/2.
func serveHTTP2(t *testing.T, h http.Handler) *server {
	t.Helper()
	return serveOn(t, h, func(s *httptest.Server) {
		s.EnableHTTP2 = true
		s.StartTLS()
	})
}

type server = httptest.Server

func serveOn(t *testing.T, h http.Handler, start func(*httptest.Server)) *httptest.Server {
	s := httptest.NewUnstartedServer(h)
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	start(s)
	t.Cleanup(s.Close)
	return s
}

type result struct {
	*http.Response
	body string
}

func send(t *testing.T, s *httptest.Server, r *http.Request) result {
	t.Helper()
	client := *s.Client()
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	resp, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return result{resp, string(body)}
}

func request(t *testing.T, s *httptest.Server, method, path, body string) *http.Request {
	t.Helper()
	var reader io.Reader
	if body != "" {
		reader = strings.NewReader(body)
	}
	r, err := http.NewRequestWithContext(t.Context(), method, s.URL+path, reader)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func get(t *testing.T, s *httptest.Server, path string) result {
	t.Helper()
	return send(t, s, request(t, s, http.MethodGet, path, ""))
}

// record serves one request without a socket.
func record(h http.Handler, method, path string, change ...func(*http.Request)) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, nil)
	for _, c := range change {
		c(r)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// dial opens a connection to write raw requests on.
func dial(t *testing.T, s *httptest.Server) (net.Conn, *bufio.Reader) {
	t.Helper()
	var d net.Dialer
	conn, err := d.DialContext(t.Context(), "tcp", s.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn, bufio.NewReader(conn)
}

func write(t *testing.T, conn net.Conn, format string, args ...any) {
	t.Helper()
	if _, err := fmt.Fprintf(conn, format, args...); err != nil {
		t.Fatal(err)
	}
}

// readResponse reads one response with its body.
func readResponse(t *testing.T, br *bufio.Reader) result {
	t.Helper()
	resp, err := http.ReadResponse(br, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return result{resp, string(body)}
}

var errTest = errors.New("secret text of an error")
