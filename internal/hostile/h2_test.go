package hostile_test

import (
	"bytes"
	"errors"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// h2 sends RPCs as frames, one after the other on one connection.
type h2 struct {
	t     testing.TB
	addr  string
	conn  net.Conn
	fr    *http2.Framer
	enc   *hpack.Encoder
	block bytes.Buffer
	next  uint32
	// What the server lets the client send, of the running stream and of all.
	stream, all int
	unsent      []byte // of the running stream's body
	open        bool   // it is not all that was promised
}

func newH2(t testing.TB, addr string) *h2 {
	c := &h2{t: t, addr: addr}
	t.Cleanup(c.close)
	return c
}

func (c *h2) close() {
	if c.conn != nil {
		_ = c.conn.Close()
		c.conn = nil
	}
}

func (c *h2) dial() {
	c.t.Helper()
	conn, err := net.Dial("tcp", c.addr)
	if err != nil {
		c.t.Fatal(err)
	}
	_ = conn.SetDeadline(time.Now().Add(patience))
	c.conn, c.fr, c.next = conn, http2.NewFramer(conn, conn), 1
	c.block.Reset()
	c.all = initialWindow
	c.enc = hpack.NewEncoder(&c.block)
	c.fr.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	c.fr.AllowIllegalWrites = true
	_, _ = io.WriteString(conn, http2.ClientPreface)
	_ = c.fr.WriteSettings(http2.Setting{ID: http2.SettingEnablePush})
}

// ask sends an RPC and reads its answer to the end.
func (c *h2) ask(a ask) reply {
	c.t.Helper()
	id := c.start(a)
	rep := c.finish(id)
	if (a.open || len(c.unsent) > 0) && c.conn != nil && rep.reset == nil {
		_ = c.fr.WriteRSTStream(id, http2.ErrCodeCancel)
	}
	return rep
}

// start sends an RPC.
func (c *h2) start(a ask) uint32 {
	c.t.Helper()
	if c.conn == nil {
		c.dial()
	}
	id := c.next
	c.next += 2
	c.block.Reset()
	for _, f := range append([]string{":method: POST", ":scheme: http", ":path: " + a.target, ":authority: items.example.test"}, a.fields...) {
		name, value, _ := strings.Cut(f[1:], ": ")
		_ = c.enc.WriteField(hpack.HeaderField{Name: strings.ToLower(f[:1] + name), Value: value})
	}
	c.writeBlock(id)
	c.unsent, c.open, c.stream = a.raw, a.open, initialWindow
	if a.raw == nil {
		c.unsent = []byte(a.body)
	}
	if len(c.unsent) == 0 && !a.open {
		_ = c.fr.WriteData(id, true, nil)
	}
	c.send(id)
	return id
}

// initialWindow is what may be sent before the server says more (RFC 9113 section
// 6.9.2).
const initialWindow = 65535

func (c *h2) writeBlock(id uint32) {
	const most = 16 << 10
	block := c.block.Bytes()
	part := block[:min(len(block), most)]
	block = block[len(part):]
	_ = c.fr.WriteHeaders(http2.HeadersFrameParam{StreamID: id, BlockFragment: part, EndHeaders: len(block) == 0})
	for len(block) > 0 {
		part = block[:min(len(block), most)]
		block = block[len(part):]
		_ = c.fr.WriteContinuation(id, len(block) == 0, part)
	}
}

// send sends what the server lets through of the body.
func (c *h2) send(id uint32) {
	for len(c.unsent) > 0 {
		n := min(len(c.unsent), 16<<10, c.stream, c.all)
		if n <= 0 {
			return
		}
		part := c.unsent[:n]
		c.unsent, c.stream, c.all = c.unsent[n:], c.stream-n, c.all-n
		_ = c.fr.WriteData(id, !c.open && len(c.unsent) == 0, part)
	}
}

// finish reads until the stream has ended.
func (c *h2) finish(id uint32) reply {
	rep := reply{header: http.Header{}}
	for {
		frame, err := c.fr.ReadFrame()
		if err != nil {
			var bad http2.StreamError
			if errors.As(err, &bad) && bad.StreamID != id {
				continue
			}
			c.close()
			rep.closed = true
			return rep
		}
		if done := c.take(id, frame, &rep); done {
			return rep
		}
	}
}

// take notes what a frame says about the stream and tells whether that was the end
// of it.
func (c *h2) take(id uint32, frame http2.Frame, rep *reply) bool {
	switch f := frame.(type) {
	case *http2.SettingsFrame:
		if !f.IsAck() {
			_ = c.fr.WriteSettingsAck()
		}
		return false
	case *http2.PingFrame:
		if !f.IsAck() {
			_ = c.fr.WritePing(true, f.Data)
		}
		return false
	case *http2.WindowUpdateFrame:
		if f.StreamID == 0 {
			c.all += int(f.Increment)
		}
		if f.StreamID == id {
			c.stream += int(f.Increment)
		}
		c.send(id)
		return false
	case *http2.GoAwayFrame:
		if f.ErrCode != http2.ErrCodeNo {
			c.close()
			rep.closed = true
			return true
		}
		return false
	}
	if frame.Header().StreamID != id {
		return false
	}
	switch f := frame.(type) {
	case *http2.MetaHeadersFrame:
		rep.take(f)
		return f.StreamEnded()
	case *http2.DataFrame:
		rep.body = append(rep.body, f.Data()...)
		_ = c.fr.WriteWindowUpdate(0, max(1, uint32(len(f.Data()))))
		_ = c.fr.WriteWindowUpdate(id, max(1, uint32(len(f.Data()))))
		return f.StreamEnded()
	case *http2.RSTStreamFrame:
		rep.reset = &f.ErrCode
		return true
	}
	return false
}

// take notes a block of headers or trailers.
func (r *reply) take(f *http2.MetaHeadersFrame) {
	for _, field := range f.Fields {
		switch field.Name {
		case ":status":
			r.status, _ = strconv.Atoi(field.Value)
		default:
			r.header.Add(field.Name, field.Value)
		}
	}
}

// frame is a message as gRPC frames it.
func frame(flag byte, payload []byte) string {
	n := len(payload)
	return string([]byte{flag, byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)}) + string(payload)
}
