package hostile_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// patience is how long a test waits for an answer before it gives up. Nothing is
// decided by it on a server that works.
const patience = time.Minute

// h1 sends requests as bytes, and opens a new connection when the server has closed
// the last one.
type h1 struct {
	t    testing.TB
	addr string
	conn net.Conn
	r    *bufio.Reader
}

func newH1(t testing.TB, addr string) *h1 {
	c := &h1{t: t, addr: addr}
	t.Cleanup(c.close)
	return c
}

func (c *h1) close() {
	if c.conn != nil {
		_ = c.conn.Close()
		c.conn = nil
	}
}

func (c *h1) dial() {
	c.t.Helper()
	conn, err := net.Dial("tcp", c.addr)
	if err != nil {
		c.t.Fatal(err)
	}
	_ = conn.SetDeadline(time.Now().Add(patience))
	c.conn, c.r = conn, bufio.NewReader(conn)
}

func (c *h1) ask(a ask) reply {
	c.t.Helper()
	if c.conn == nil {
		c.dial()
	}
	// A server that answers before it has read everything may close the connection;
	// then writing fails, and the answer is still there.
	_, _ = io.WriteString(c.conn, a.h1())
	resp, err := http.ReadResponse(c.r, &http.Request{Method: a.verb})
	if err != nil {
		c.close()
		return reply{closed: true}
	}
	body, err := io.ReadAll(resp.Body)
	_ = resp.Body.Close()
	rep := reply{status: resp.StatusCode, header: resp.Header, body: body, cut: err != nil, hangUp: resp.Close}
	if resp.Close || err != nil || a.open {
		c.close()
	}
	return rep
}

// h1 is the request as HTTP/1.1 has it.
func (a ask) h1() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s HTTP/1.1\r\nHost: items.example.test\r\n", a.verb, a.target)
	for _, f := range a.fields {
		b.WriteString(f + "\r\n")
	}
	if a.raw == nil && (a.body != "" || a.verb == http.MethodPost) {
		length := len(a.body)
		if a.open {
			length = 1 << 20
		}
		fmt.Fprintf(&b, "Content-Length: %d\r\n", length)
	}
	b.WriteString("\r\n")
	return b.String() + a.body + string(a.raw)
}
