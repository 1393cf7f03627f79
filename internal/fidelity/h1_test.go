package fidelity_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// h1 is a connection on which requests are bytes.
type h1 struct {
	c    *conversation
	conn net.Conn
	r    *bufio.Reader
}

func dialH1(c *conversation, s *site) *h1 {
	c.Helper()
	conn := c.dial(s)
	return &h1{c: c, conn: conn, r: bufio.NewReader(conn)}
}

// send writes bytes as they are. That a server no longer takes them shows in what
// it answers.
func (h *h1) send(raw string) { _, _ = io.WriteString(h.conn, raw) }

// answer reads one response with the informational ones before it, as framed on
// the wire.
func (h *h1) answer(method string) {
	for {
		status, ok := h.line()
		if !ok {
			h.c.saw("connection closed")
			return
		}
		h.c.saw("%s", status)
		header := h.header()
		code, _ := strconv.Atoi(strings.Split(status+"  ", " ")[1])
		if code < 200 && code != http.StatusSwitchingProtocols {
			continue
		}
		h.body(method, code, header)
		return
	}
}

// interim reads one informational response.
func (h *h1) interim() {
	status, _ := h.line()
	h.c.saw("%s", status)
	h.header()
}

// closeWrite says that the client will send nothing more.
func (h *h1) closeWrite() {
	if half, ok := h.conn.(*net.TCPConn); ok {
		_ = half.CloseWrite()
	}
}

// probe tells whether the connection can be used again. net/http answers the
// asterisk form by itself, so no handler runs.
func (h *h1) probe() {
	h.send("OPTIONS * HTTP/1.1\r\nHost: probe\r\n\r\n")
	if status, ok := h.line(); ok {
		h.c.saw("connection kept: %s", status)
		h.header()
		return
	}
	h.c.saw("connection closed")
}

// closed reads what is left until the server closes the connection.
func (h *h1) closed() {
	rest, err := io.ReadAll(h.r)
	if len(rest) > 0 {
		h.c.saw("then %s", show(changing.ReplaceAll(rest, nil)))
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		h.c.Error("the server keeps the connection open")
	}
	h.c.saw("connection closed")
}

// changing are the fields that are never the same twice.
var changing = regexp.MustCompile(`(Date|X-Request-Id): [^\r]*\r\n`)

// line reads one line without its end; false is the end of the connection, by FIN
// or reset.
func (h *h1) line() (string, bool) {
	line, err := h.r.ReadString('\n')
	if err != nil {
		var netErr net.Error
		if errors.As(err, &netErr) && netErr.Timeout() {
			h.c.Error("the server does not answer")
		}
		return line, false
	}
	return strings.TrimRight(line, "\r\n"), true
}

// header reads a block of fields and notes them in the order of their names:
// net/http's own is not fixed.
func (h *h1) header() map[string]string {
	var fields []string
	byName := map[string]string{}
	for {
		line, ok := h.line()
		if !ok {
			fields = append(fields, "(cut off)")
			break
		}
		if line == "" {
			break
		}
		name, value, _ := strings.Cut(line, ": ")
		switch name {
		case "Date":
			line = "Date: (some)"
		case "Trailer": // grpc-gateway announces them in the order of a map
			list := strings.Split(value, ", ")
			slices.Sort(list)
			line = "Trailer: " + strings.Join(list, ", ")
		}
		byName[strings.ToLower(name)] = value
		fields = append(fields, line)
	}
	slices.SortStableFunc(fields, byFieldName)
	if i := slices.IndexFunc(fields, func(f string) bool { return strings.HasPrefix(f, "Trailer: ") }); i >= 0 {
		end := i + 1
		for end < len(fields) && strings.HasPrefix(fields[end], "Trailer: ") {
			end++
		}
		slices.Sort(fields[i:end])
	}
	for _, f := range fields {
		h.c.saw("%s", f)
	}
	return byName
}

func byFieldName(a, b string) int {
	nameA, _, _ := strings.Cut(a, ":")
	nameB, _, _ := strings.Cut(b, ":")
	return strings.Compare(nameA, nameB)
}

func (h *h1) body(method string, code int, header map[string]string) {
	switch length, known := header["content-length"]; {
	case method == http.MethodHead, code == http.StatusNoContent, code == http.StatusNotModified, code == http.StatusSwitchingProtocols:
	case header["transfer-encoding"] == "chunked":
		h.chunks()
	case known:
		n, _ := strconv.Atoi(length)
		h.exactly("body", n)
	default:
		all, _ := io.ReadAll(h.r)
		h.c.saw("body to the end %s", show(all))
	}
}

func (h *h1) exactly(what string, n int) {
	buf := make([]byte, n)
	read, err := io.ReadFull(h.r, buf)
	h.c.saw("%s %s", what, show(buf[:read]))
	if err != nil && n > 0 {
		h.c.saw("(cut off)")
	}
}

// chunks notes every chunk as it came, and the trailers.
func (h *h1) chunks() {
	for {
		size, ok := h.line()
		if !ok {
			h.c.saw("(cut off)")
			return
		}
		n, err := strconv.ParseInt(size, 16, 32)
		if err != nil {
			h.c.saw("no chunk: %q", size)
			return
		}
		if n == 0 {
			h.c.saw("last chunk")
			h.header()
			return
		}
		h.exactly(fmt.Sprintf("chunk %s", size), int(n))
		h.line()
	}
}

// request writes a request in the simplest form.
func request(method, target string, fields ...string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s HTTP/1.1\r\nHost: example.test\r\n", method, target)
	for _, f := range fields {
		b.WriteString(f + "\r\n")
	}
	return b.String() + "\r\n"
}
