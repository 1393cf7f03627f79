package fidelity_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// h2 is a connection on which requests are frames.
type h2 struct {
	c        *conversation
	conn     net.Conn
	fr       *http2.Framer
	enc      *hpack.Encoder
	block    bytes.Buffer
	next     uint32
	held     bool // the windows stay as they are
	data     map[uint32][]byte
	ended    map[uint32]bool
	informed map[uint32]bool // by a block before the answer
	goneFor  error
	// eager says that the client sends all it has at once. Whether an early answer
	// stops it, and how often, is chance then.
	eager   bool
	leaving bool // the server has sent GOAWAY
}

// dialH2 opens a connection with prior knowledge. Without other settings it wants
// no pushes.
func dialH2(c *conversation, s *site, settings ...http2.Setting) *h2 {
	c.Helper()
	conn := c.dial(s)
	h := &h2{c: c, conn: conn, fr: http2.NewFramer(conn, conn), next: 1, data: map[uint32][]byte{}, ended: map[uint32]bool{}, informed: map[uint32]bool{}}
	h.enc = hpack.NewEncoder(&h.block)
	h.fr.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	h.fr.AllowIllegalWrites = true
	if _, err := io.WriteString(conn, http2.ClientPreface); err != nil {
		c.Fatal(err)
	}
	if len(settings) == 0 {
		settings = []http2.Setting{{ID: http2.SettingEnablePush}}
	}
	_ = h.fr.WriteSettings(settings...)
	return h
}

// open sends a header block as a new stream. Fields are "name: value".
func (h *h2) open(end bool, fields ...string) uint32 {
	id := h.next
	h.next += 2
	h.headers(id, end, fields...)
	return id
}

func (h *h2) headers(id uint32, end bool, fields ...string) {
	h.block.Reset()
	for _, f := range fields {
		name, value, _ := strings.Cut(f[1:], ": ")
		_ = h.enc.WriteField(hpack.HeaderField{Name: f[:1] + name, Value: value})
	}
	block := h.block.Bytes()
	const most = 16 << 10
	first := true
	for first || len(block) > 0 {
		part := block[:min(len(block), most)]
		block = block[len(part):]
		if first {
			_ = h.fr.WriteHeaders(http2.HeadersFrameParam{StreamID: id, BlockFragment: part, EndStream: end, EndHeaders: len(block) == 0})
		} else {
			_ = h.fr.WriteContinuation(id, len(block) == 0, part)
		}
		first = false
	}
}

// send sends bytes of a body in frames of the usual size.
func (h *h2) send(id uint32, end bool, body []byte) {
	for {
		part := body[:min(len(body), 16<<10)]
		body = body[len(part):]
		_ = h.fr.WriteData(id, end && len(body) == 0, part)
		if len(body) == 0 {
			return
		}
	}
}

func (h *h2) reset(id uint32, code http2.ErrCode) { _ = h.fr.WriteRSTStream(id, code) }

// grant opens the windows of a stream and the connection.
func (h *h2) grant(id, n uint32) {
	_ = h.fr.WriteWindowUpdate(id, n)
	_ = h.fr.WriteWindowUpdate(0, n)
}

// await reads until the stream has ended, and notes what came on any.
func (h *h2) await(id uint32) { h.until(func() bool { return h.ended[id] }) }

// awaitData reads until n bytes of a body that has not ended have arrived.
func (h *h2) awaitData(id uint32, n int) {
	h.until(func() bool { return len(h.data[id]) >= n || h.ended[id] })
}

func (h *h2) until(done func() bool) {
	for !done() && h.goneFor == nil {
		frame, err := h.fr.ReadFrame()
		if err != nil {
			var streamErr http2.StreamError
			if errors.As(err, &streamErr) {
				h.c.saw("[%d] unreadable: %v", streamErr.StreamID, streamErr.Code)
				h.ended[streamErr.StreamID] = true
				continue
			}
			var netErr net.Error
			if errors.As(err, &netErr) && netErr.Timeout() {
				h.c.Error("the server does not answer")
			}
			h.goneFor = err
			h.c.saw("connection closed")
			return
		}
		h.take(frame)
	}
}

func (h *h2) take(frame http2.Frame) {
	id := frame.Header().StreamID
	if _, more := frame.(*http2.DataFrame); !more && id != 0 {
		h.noteData(id, "")
	}
	switch f := frame.(type) {
	case *http2.SettingsFrame:
		if !f.IsAck() {
			_ = f.ForeachSetting(func(s http2.Setting) error {
				h.c.saw("SETTINGS %v", s)
				return nil
			})
			_ = h.fr.WriteSettingsAck()
		}
	case *http2.PingFrame:
		if !f.IsAck() {
			_ = h.fr.WritePing(true, f.Data)
		}
	case *http2.MetaHeadersFrame:
		h.noteHeaders(f)
	case *http2.PushPromiseFrame:
		fields, _ := h.fr.ReadMetaHeaders.DecodeFull(f.HeaderBlockFragment())
		h.c.saw("[%d] PUSH_PROMISE %d %v", id, f.PromiseID, fields)
	case *http2.DataFrame:
		h.data[id] = append(h.data[id], f.Data()...)
		if !h.held && len(f.Data()) > 0 {
			h.grant(id, uint32(len(f.Data())))
		}
		if f.StreamEnded() {
			h.noteData(id, " END_STREAM")
			h.ended[id] = true
		}
	case *http2.RSTStreamFrame:
		if h.eager && h.ended[id] {
			return
		}
		h.c.saw("[%d] RST_STREAM %v", id, f.ErrCode)
		h.ended[id] = true
	case *http2.GoAwayFrame:
		h.leaving = true
		if f.ErrCode != http2.ErrCodeNo {
			h.c.saw("GOAWAY %v", f.ErrCode)
			h.goneFor = http2.ConnectionError(f.ErrCode) // net/http takes a second to close
		}
	}
}

// noteData notes the body since the last other frame: how it is cut into frames
// depends on the windows.
func (h *h2) noteData(id uint32, end string) {
	if body := h.data[id]; len(body) > 0 || end != "" {
		h.c.saw("[%d] DATA %s%s", id, show(body), end)
		h.data[id] = nil
	}
}

func (h *h2) noteHeaders(f *http2.MetaHeadersFrame) {
	end := ""
	if f.StreamEnded() {
		end = " END_STREAM"
		h.ended[f.StreamID] = true
	}
	h.informed[f.StreamID] = true
	var fields []string
	for _, field := range f.Fields {
		value := field.Value
		if field.Name == "date" {
			value = "(some)"
		}
		if len(value) > 512 {
			value = show([]byte(value))
		}
		fields = append(fields, fmt.Sprintf("%s: %s", field.Name, value))
	}
	slices.SortStableFunc(fields, func(a, b string) int { // pseudo-headers stay first
		return byFieldName(a[:1]+strings.TrimPrefix(a[1:], ":"), b[:1]+strings.TrimPrefix(b[1:], ":"))
	})
	h.c.saw("[%d] HEADERS%s", f.StreamID, end)
	for _, field := range fields {
		h.c.saw("%s", field)
	}
}

// probe tells whether the connection can be used again, as (*h1).probe does. What
// belongs to earlier streams arrives before.
func (h *h2) probe() {
	if h.goneFor == nil && !h.leaving {
		id := h.open(true, ":method: OPTIONS", ":scheme: http", ":authority: probe", ":path: *")
		h.until(func() bool { return h.ended[id] || h.leaving })
	}
	h.noteLeaving()
}

// noteLeaving notes that the server takes no more streams. Between which frames it
// has said so is chance.
func (h *h2) noteLeaving() {
	if h.leaving && h.goneFor == nil {
		h.c.saw("GOAWAY")
	}
}

// get is the header block of a request.
func get(method, path string, fields ...string) []string {
	return append([]string{":method: " + method, ":scheme: http", ":authority: example.test", ":path: " + path}, fields...)
}
