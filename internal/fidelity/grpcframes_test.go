package fidelity_test

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"slices"
	"strings"

	"golang.org/x/net/http2"
	"google.golang.org/grpc"
	_ "google.golang.org/grpc/encoding/gzip" // registered as servers do that offer it
	"google.golang.org/protobuf/proto"

	pb "github.com/crosscut-go/crosscut/proto/crosscut/conformance/v1"
)

const (
	unary        = pb.ConformanceService_Unary_FullMethodName
	serverStream = pb.ConformanceService_ServerStream_FullMethodName
	clientStream = pb.ConformanceService_ClientStream_FullMethodName
	bidiStream   = pb.ConformanceService_BidiStream_FullMethodName
)

// rpc is the header block of an RPC.
func rpc(path string, fields ...string) []string {
	return append([]string{":method: POST", ":scheme: http", ":path: " + path, ":authority: example.test", "content-type: application/grpc", "te: trailers"}, fields...)
}

// framed is a message with its prefix (gRPC over HTTP/2, "Length-Prefixed-Message").
func framed(m proto.Message) []byte {
	b, err := proto.Marshal(m)
	if err != nil {
		panic(err)
	}
	return prefixed(0, uint32(len(b)), b)
}

func prefixed(flag byte, length uint32, b []byte) []byte {
	return append(binary.BigEndian.AppendUint32([]byte{flag}, length), b...)
}

func asks(id string) []byte { return framed(&pb.UnaryRequest{Id: id, Text: "hello"}) }

func zipped(b []byte) []byte {
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	_, _ = w.Write(b)
	_ = w.Close()
	return out.Bytes()
}

// call is one RPC in frames, and then another one to see what became of the
// connection.
func call(name string, body []byte, fields ...string) scenario[rpcs] {
	return conversationOf(name, rpcs{}, func(_ *conversation, h *h2, _ *site) {
		h.eager = true
		id := h.open(false, fields...)
		h.send(id, true, body)
		h.await(id)
	})
}

// headless is an RPC without a body.
func headless(name string, fields ...string) scenario[rpcs] {
	return conversationOf(name, rpcs{}, func(_ *conversation, h *h2, _ *site) { h.await(h.open(true, fields...)) })
}

func conversationOf(name string, subject rpcs, talk func(c *conversation, h *h2, s *site)) scenario[rpcs] {
	return scenario[rpcs]{name, subject, func(c *conversation, s *site) {
		h := dialH2(c, s)
		talk(c, h, s)
		h.probeRPC()
	}}
}

// probeRPC calls once more, if the connection lives.
func (h *h2) probeRPC() {
	if h.goneFor == nil && !h.leaving {
		id := h.open(false, rpc(unary)...)
		h.send(id, true, asks("probe"))
		h.until(func() bool { return h.ended[id] || h.leaving })
	}
	h.noteLeaving()
}

// grpcFrames are the RPCs that only frames can make.
func grpcFrames() []scenario[rpcs] {
	var all []scenario[rpcs]
	for id := range failures {
		all = append(all, call("a handler's error: "+id, asks(id), rpc(unary)...))
	}
	for _, id := range []string{"echo", "facts", "metadata", "header", "send header", "header and error", "trailer and error", "compressor", "nil", "error and reply", "not UTF-8", "large"} {
		all = append(all, call("a handler: "+id, asks(id), rpc(unary)...))
	}
	for _, id := range []string{"echo", "error", "facts", "metadata", "send header", "header and error", "trailer and error", "messages and error", "not UTF-8", "another message", "late header", "receive more", "debug", "untyped"} {
		all = append(all, call("a server stream: "+id, framed(&pb.ServerStreamRequest{Id: id, Text: "m", Count: 3}), rpc(serverStream)...))
	}
	for _, method := range []string{clientStream, bidiStream} {
		for _, last := range []string{"echo", "enough", "error", "untyped", "header", "metadata", "details", "debug"} {
			body := append(framed(&pb.BidiStreamRequest{Text: "one"}), framed(&pb.BidiStreamRequest{Index: 1, Text: last})...)
			all = append(all, call("messages to "+method+": "+last, body, rpc(method)...))
		}
		all = append(all, headless("no message to "+method, rpc(method)...))
	}
	for name, path := range paths {
		all = append(all, call("a path with "+name, asks("echo"), rpc(path)...))
	}
	for name, fields := range headers {
		if slices.Contains(malformed, name) {
			all = append(all, headless("a header with "+name, fields...))
			continue
		}
		all = append(all, call("a header with "+name, asks("facts"), fields...))
	}
	for name, body := range messages {
		all = append(all, call("a message with "+name, body, rpc(unary)...), call("a message of a stream with "+name, body, rpc(serverStream)...), call("a message of the client's stream with "+name, body, rpc(clientStream)...))
	}
	return append(all, grpcTalks...)
}

const svc = "/crosscut.conformance.v1.ConformanceService/"

// paths are spellings of method names.
var paths = map[string]string{
	"an unknown method":          svc + "Nothing",
	"an unknown service":         "/no.such.Service/Unary",
	"no method":                  svc,
	"no service":                 "//Unary",
	"one part":                   "/Unary",
	"nothing":                    "/",
	"no slash in front":          svc[1:] + "Unary",
	"two slashes in front":       "/" + svc + "Unary",
	"a slash at the end":         svc + "Unary/",
	"another case":               strings.ToLower(svc) + "unary",
	"an encoded letter":          svc + "%55nary",
	"an encoded slash":           svc[:len(svc)-1] + "%2FUnary",
	"an encoding that is none":   svc + "%zz",
	"a query":                    svc + "Unary?x=1",
	"an empty query":             svc + "Unary?",
	"a fragment":                 svc + "Unary#f",
	"dots":                       "/x/.." + svc + "Unary",
	"a stream's name in a query": svc + "Nothing?" + serverStream,
	"a long name":                svc + strings.Repeat("n", 5000),
	"an asterisk":                "*",
	"an absolute form":           "http://example.test" + svc + "Unary",
}

// headers are header blocks that are right, nearly right, and wrong.
var headers = map[string][]string{
	"metadata":                   rpc(unary, "x-b: 2", "x-a: 1", "x-b: 1", "x-bin-bin: AAE", "x-pad-bin: AAE=", "x-two-bin: AAE,AgM", "user-agent: own/1", "cookie: a=b"),
	"no te":                      {":method: POST", ":scheme: http", ":path: " + unary, ":authority: example.test", "content-type: application/grpc"},
	"another te":                 {":method: POST", ":scheme: http", ":path: " + unary, ":authority: example.test", "content-type: application/grpc", "te: gzip"},
	"no type":                    {":method: POST", ":scheme: http", ":path: " + unary, ":authority: example.test", "te: trailers"},
	"another type":               typed("text/plain"),
	"the type of gRPC-Web":       typed("application/grpc-web"),
	"a longer type":              typed("application/grpcx"),
	"a codec":                    typed("application/grpc+proto"),
	"a codec nobody has":         typed("application/grpc+none"),
	"a parameter":                typed("application/grpc; charset=utf-8"),
	"a type in upper case":       typed("Application/GRPC"),
	"two types":                  rpc(unary, "content-type: application/grpc"),
	"GET":                        {":method: GET", ":scheme: http", ":path: " + unary, ":authority: example.test", "content-type: application/grpc", "te: trailers"},
	"no verb":                    {":scheme: http", ":path: " + unary, ":authority: example.test", "content-type: application/grpc", "te: trailers"},
	"no path":                    {":method: POST", ":scheme: http", ":authority: example.test", "content-type: application/grpc", "te: trailers"},
	"no authority":               {":method: POST", ":scheme: http", ":path: " + unary, "content-type: application/grpc", "te: trailers"},
	"only a host":                {":method: POST", ":scheme: http", ":path: " + unary, "host: example.test", "content-type: application/grpc", "te: trailers"},
	"a host as well":             rpc(unary, "host: other.test"),
	"two hosts":                  rpc(unary, "host: other.test", "host: third.test"),
	"a connection field":         rpc(unary, "connection: close"),
	"a timeout":                  rpc(unary, "grpc-timeout: 1H"),
	"the longest timeout":        rpc(unary, "grpc-timeout: 99999999H"),
	"a timeout too long":         rpc(unary, "grpc-timeout: 999999999H"),
	"a timeout of no unit":       rpc(unary, "grpc-timeout: 10"),
	"a timeout of a wrong unit":  rpc(unary, "grpc-timeout: 10x"),
	"a negative timeout":         rpc(unary, "grpc-timeout: -1S"),
	"an empty timeout":           rpc(unary, "grpc-timeout: "),
	"a signed timeout":           rpc(unary, "grpc-timeout: +1S"),
	"binary metadata of no sort": rpc(unary, "x-own-bin: !!!"),
	"a reserved field":           rpc(unary, "grpc-status: 0", "grpc-message: x"),
	"an encoding nobody has":     rpc(unary, "grpc-encoding: snappy"),
	"gzip announced":             rpc(unary, "grpc-encoding: gzip"),
	"identity announced":         rpc(unary, "grpc-encoding: identity"),
	"gzip accepted":              rpc(unary, "grpc-accept-encoding: gzip, identity"),
	"a field in upper case":      rpc(unary, "X-Upper: 1"),
	"a large field":              rpc(unary, "x-large: "+strings.Repeat("l", 20<<10)),
	"a length":                   rpc(unary, "content-length: 5000"),
	"an expectation":             rpc(unary, "expect: 100-continue"),
	"a value with spaces":        rpc(unary, "x-space:  a "),
	"a request id":               rpc(unary, "x-request-id: abc"),
}

// malformed are the headers that HTTP/2 itself refuses. No body follows them: a
// frame on a stream that was never opened is another mistake, and which one the
// server tells of first is chance.
var malformed = []string{"no path", "no verb", "another te", "a connection field", "a field in upper case"}

func typed(contentType string) []string {
	return []string{":method: POST", ":scheme: http", ":path: " + unary, ":authority: example.test", "content-type: " + contentType, "te: trailers"}
}

// messages are bodies that are right, nearly right, and wrong.
var messages = map[string][]byte{
	"nothing":                    nil,
	"no fields":                  prefixed(0, 0, nil),
	"half a prefix":              {0, 0, 0},
	"less than its length":       prefixed(0, 100, []byte("short")),
	"more than its length":       append(asks("echo"), "more"...),
	"the largest length":         prefixed(0, 1<<32-1, nil),
	"a length over the limit":    prefixed(0, 4<<20+1, []byte("x")),
	"a second message":           append(asks("echo"), asks("echo")...),
	"a flag nobody knows":        prefixed(2, 5, []byte("hello")),
	"compression not announced":  prefixed(1, 5, []byte("hello")),
	"no protobuf":                prefixed(0, 3, []byte{0xff, 0xff, 0xff}),
	"text that is no UTF-8":      prefixed(0, 4, []byte{0x0a, 2, 0xff, 0xfe}),
	"fields nobody knows":        prefixed(0, 4, []byte{0xf8, 0x7f, 0x01, 0x00}[:4]),
	"fields nobody knows at all": prefixed(0, 3, []byte{0xf8, 0x7f, 0x01}),
}

// grpcTalks are conversations of their own.
var grpcTalks = []scenario[rpcs]{
	headless("an RPC without a body", rpc(unary)...),
	conversationOf("a message in frames of one byte", rpcs{}, func(_ *conversation, h *h2, _ *site) {
		id := h.open(false, rpc(unary)...)
		for _, b := range asks("echo") {
			h.send(id, false, []byte{b})
		}
		h.send(id, true, nil)
		h.await(id)
	}),
	conversationOf("a compressed message", rpcs{}, func(_ *conversation, h *h2, _ *site) {
		id := h.open(false, rpc(unary, "grpc-encoding: gzip", "grpc-accept-encoding: gzip")...)
		b := zipped(asks("echo")[5:])
		h.send(id, true, prefixed(1, uint32(len(b)), b))
		h.await(id)
	}),
	call("a compressed message that is broken", prefixed(1, 5, []byte("hello")), rpc(unary, "grpc-encoding: gzip")...),
	call("a compressed message that is too large inside", func() []byte {
		b := zipped(make([]byte, 5<<20))
		return prefixed(1, uint32(len(b)), b)
	}(), rpc(unary, "grpc-encoding: gzip")...),
	call("a reply that the handler compresses", asks("compressor"), rpc(unary, "grpc-accept-encoding: gzip")...),
	conversationOf("an answer before the client is done", rpcs{}, func(_ *conversation, h *h2, _ *site) {
		id := h.open(false, rpc(bidiStream)...)
		h.send(id, false, framed(&pb.BidiStreamRequest{Text: "error"}))
		h.await(id)
	}),
	conversationOf("an unknown method before the client is done", rpcs{}, func(_ *conversation, h *h2, _ *site) {
		h.await(h.open(false, rpc(svc+"Nothing")...))
	}),
	conversationOf("a stream that answers before the client is done", rpcs{}, func(_ *conversation, h *h2, _ *site) {
		id := h.open(false, rpc(clientStream)...)
		h.send(id, false, framed(&pb.ClientStreamRequest{Text: "enough"}))
		h.await(id)
	}),
	conversationOf("a stream back and forth", rpcs{}, func(_ *conversation, h *h2, _ *site) {
		id := h.open(false, rpc(bidiStream)...)
		back := 0
		for i := range int32(3) {
			m := framed(&pb.BidiStreamRequest{Index: i, Text: "ping"})
			h.send(id, false, m)
			back += len(m)
			h.awaitData(id, back)
		}
		h.send(id, true, nil)
		h.await(id)
	}),
	conversationOf("a reset in the middle of a unary call", rpcs{}, resetInside(unary, asks("block"))),
	conversationOf("a reset in the middle of a server stream", rpcs{}, resetInside(serverStream, framed(&pb.ServerStreamRequest{Id: "block"}))),
	conversationOf("a reset in the middle of a stream", rpcs{}, resetInside(bidiStream, framed(&pb.BidiStreamRequest{Text: "block"}))),
	conversationOf("a window that opens late for an RPC", rpcs{}, func(_ *conversation, h *h2, _ *site) {
		h.held = true
		id := h.open(false, rpc(unary)...)
		h.send(id, true, asks("large"))
		h.awaitData(id, 65535)
		h.grant(id, 1<<20)
		h.await(id)
	}),
	conversationOf("an orderly shutdown in the middle of a call", rpcs{}, func(c *conversation, h *h2, s *site) {
		id := h.open(false, rpc(unary)...)
		h.send(id, true, asks("hold"))
		c.wait("inside")
		go s.shutdown()
		h.until(func() bool { return h.leaving })
		c.reach("go on")
		h.await(id)
	}),
	conversationOf("more streams than allowed", withOptions(grpc.MaxConcurrentStreams(1)), func(c *conversation, h *h2, _ *site) {
		first := h.open(false, rpc(unary)...)
		h.send(first, true, asks("hold"))
		c.wait("inside")
		second := h.open(false, rpc(unary)...)
		h.send(second, true, asks("echo"))
		h.until(func() bool { return h.ended[second] || h.ended[first] })
		c.reach("go on")
		h.await(first)
	}),
	conversationOf("a reply over the limit", withOptions(grpc.MaxSendMsgSize(1000)), func(_ *conversation, h *h2, _ *site) {
		id := h.open(false, rpc(unary)...)
		h.send(id, true, asks("large"))
		h.await(id)
	}),
	conversationOf("more metadata than the server takes", withOptions(grpc.MaxHeaderListSize(2000)), func(_ *conversation, h *h2, _ *site) {
		h.await(h.open(true, rpc(unary, "x-large: "+strings.Repeat("l", 3000))...))
	}),
}

// onlyWire are conversations that have one outcome on grpc-go's own transport only.
var onlyWire = []scenario[rpcs]{
	call("a header with a timeout of zero", asks("facts"), rpc(unary, "grpc-timeout: 0S")...),
}

func resetInside(method string, body []byte) func(c *conversation, h *h2, s *site) {
	return func(c *conversation, h *h2, _ *site) {
		id := h.open(false, rpc(method)...)
		h.send(id, method != bidiStream, body)
		c.wait("inside")
		h.reset(id, http2.ErrCodeCancel)
		c.wait("gone")
	}
}
