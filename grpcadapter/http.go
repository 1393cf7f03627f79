package grpcadapter

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/crosscut-go/crosscut/interceptor"
	"github.com/crosscut-go/crosscut/internal/httpwire"
)

var (
	_ http.Handler        = (*Server)(nil)
	_ httpwire.Resolver   = (*Server)(nil)
	_ httpwire.GRPCServer = (*Server)(nil)
	_ httpwire.Renderer   = (*Server)(nil)
)

// ServeHTTP answers a gRPC request that arrived at an http.Server over HTTP/2,
// with the limits that grpc.Server.ServeHTTP documents. Nothing of the body is read
// before the hooks have agreed to the call. Inside a handler wrapped
// by httpadapter with the same stack the request is one call; otherwise it is a
// call that begins here. While Check fails, every request is answered INTERNAL.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if err := s.core.closed(r.Context()); err != nil {
		s.RenderError(w, r, err)
		return
	}
	armed, m := s.armMount(r)
	s.grpc.ServeHTTP(w, s.holdBody(armed))
	if m != nil {
		m.answer = answerOf(armed.Context(), w.Header())
	}
}

// ResolvesFor tells httpadapter that the server finds out the method by itself.
func (s *Server) ResolvesFor(stack any) bool { return stack == any(s.core.stack) }

// ServesGRPC tells whether r is a request that ServeHTTP would answer as gRPC.
func (s *Server) ServesGRPC(r *http.Request) bool {
	return r.Method == http.MethodPost && r.ProtoMajor == 2 && isGRPCType(r.Header.Get("Content-Type"))
}

// isGRPCType tells whether contentType is application/grpc, with or without a
// codec, as grpc-go reads it.
func isGRPCType(contentType string) bool {
	rest, ok := strings.CutPrefix(contentType, "application/grpc")
	return ok && (rest == "" || rest[0] == '+' || rest[0] == ';')
}

// RenderError answers r with err. A gRPC client gets the status in a response
// without a body, since to it an HTTP status would say nothing but UNKNOWN or
// UNAVAILABLE; whoever else comes here gets the public text. The status is in the
// headers (Trailers-Only, as the gRPC protocol calls it) unless hooks have set
// trailers: then it must be among them, where clients look for it.
func (s *Server) RenderError(w http.ResponseWriter, r *http.Request, err error) {
	st := interceptor.StatusOf(err)
	h := w.Header()
	if !s.ServesGRPC(r) {
		h.Set("Content-Type", "text/plain; charset=utf-8")
		h.Set("X-Content-Type-Options", "nosniff")
		w.WriteHeader(interceptor.HTTPStatusOf(err))
		_, _ = fmt.Fprintln(w, st.Message()) // the client has gone
		return
	}
	h.Set("Content-Type", r.Header.Get("Content-Type"))
	prefix := ""
	if call, ok := interceptor.CallFrom(r.Context()); ok && len(ops.Trailers(call)) > 0 {
		prefix = http.TrailerPrefix
		w.WriteHeader(http.StatusOK)
		// Without a body or a flush net/http loses undeclared trailers
		// (golang/go#54723).
		_ = http.NewResponseController(w).Flush()
	}
	h.Set(prefix+"Grpc-Status", strconv.Itoa(int(st.Code())))
	if m := st.Message(); m != "" {
		h.Set(prefix+"Grpc-Message", percentEncode(m))
	}
	if details := encodeDetails(st); details != "" {
		h.Set(prefix+"Grpc-Status-Details-Bin", details)
	}
	if prefix == "" {
		w.WriteHeader(http.StatusOK)
	}
}

func encodeDetails(st *status.Status) string {
	p := st.Proto()
	if len(p.GetDetails()) == 0 {
		return ""
	}
	encoded, err := proto.Marshal(p)
	if err != nil {
		return "" // the code and the message must do
	}
	return base64.RawStdEncoding.EncodeToString(encoded)
}

// percentEncode encodes a message for grpc-message: printable ASCII but for the
// percent sign stands for itself.
func percentEncode(message string) string {
	var b strings.Builder
	for i := range len(message) {
		if c := message[i]; c >= ' ' && c <= '~' && c != '%' {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}
