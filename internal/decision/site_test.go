package decision_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"google.golang.org/grpc"

	"github.com/crosscut-go/crosscut/grpcadapter"
	"github.com/crosscut-go/crosscut/httpadapter"
	"github.com/crosscut-go/crosscut/httpadapter/gateway"
	"github.com/crosscut-go/crosscut/internal/decision"
	pb "github.com/crosscut-go/crosscut/proto/crosscut/conformance/v1"
)

// site is the methods of a rig behind the real adapters: a gRPC server, and a mux with the gateway, the same server
// mounted, and the plain routes. Methods that no server starts with are left out.
type site struct {
	grpc *grpcadapter.Server
	mux  *httpadapter.Mux

	calls   atomic.Int64
	reached sync.Map // of calls by number: those whose handler has got all messages
}

func newSite(t testing.TB, r *rig) *site {
	t.Helper()
	s := &site{grpc: grpcadapter.NewServer(r.stack), mux: httpadapter.NewMux(r.stack)}
	for _, m := range r.served {
		if m.demands[viaRPC].valid {
			s.grpc.RegisterService(s.description(m), s)
		}
	}
	conn := s.grpc.Conn()
	gw := gateway.New(r.stack, conn)
	for _, m := range r.served {
		if m.demands[viaRPC].valid {
			s.mux.Handle(m.name, s.grpc)
			if m.Kind == "unary" {
				transcode(gw.Mux(), conn, m)
			}
		}
		if m.demands[viaRoute].valid {
			s.mux.HandleFunc("POST "+m.plainPath(), s.plain)
		}
	}
	s.mux.Handle("/v1/", gw)
	if err := errors.Join(s.grpc.Check(), s.mux.Check(), gw.Check()); err != nil {
		t.Fatalf("a server with valid policies does not start: %v", err)
	}
	return s
}

// description is what generated code hands to a server.
func (s *site) description(m *served) *grpc.ServiceDesc {
	service, _, _ := strings.Cut(m.name[1:], "/")
	desc := &grpc.ServiceDesc{ServiceName: service, HandlerType: (*any)(nil)}
	if m.Kind == "unary" {
		desc.Methods = []grpc.MethodDesc{{MethodName: "Call", Handler: s.unary(m.name)}}
	} else {
		desc.Streams = []grpc.StreamDesc{{StreamName: "Call", Handler: s.stream, ServerStreams: true, ClientStreams: m.Kind == "bidi stream"}}
	}
	return desc
}

func (s *site) unary(name string) grpc.MethodHandler {
	handle := func(_ context.Context, in any) (any, error) {
		request, ok := in.(*pb.UnaryRequest)
		if !ok {
			return nil, fmt.Errorf("the handler got %T", in)
		}
		s.reached.Store(request.GetId(), true)
		return &pb.UnaryResponse{}, nil
	}
	return func(srv any, ctx context.Context, decode func(any) error, around grpc.UnaryServerInterceptor) (any, error) {
		in := &pb.UnaryRequest{}
		if err := decode(in); err != nil {
			return nil, err
		}
		if around == nil {
			return handle(ctx, in)
		}
		return around(ctx, in, &grpc.UnaryServerInfo{Server: srv, FullMethod: name}, handle)
	}
}

// stream receives until the client is done, and only then answers.
func (s *site) stream(_ any, stream grpc.ServerStream) error {
	id := ""
	for {
		in := &pb.UnaryRequest{}
		err := stream.RecvMsg(in)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		id = in.GetId()
	}
	s.reached.Store(id, true)
	return stream.SendMsg(&pb.UnaryResponse{})
}

func (s *site) plain(_ http.ResponseWriter, r *http.Request) {
	s.reached.Store(r.Header.Get("Case"), true)
}

// next returns the number of the next call, and a function that tells whether its handler was reached.
func (s *site) next() (id string, reached func() bool) {
	id = strconv.FormatInt(s.calls.Add(1), 10)
	return id, func() bool { _, ok := s.reached.LoadAndDelete(id); return ok }
}

// transcode is what generated code of the gateway does for a binding with a body.
func transcode(mux *runtime.ServeMux, conn grpc.ClientConnInterface, m *served) {
	segments := strings.Split(m.path[1:], "/")
	pattern := runtime.MustPattern(runtime.NewPattern(1, []int{2, 0, 2, 1, 2, 2}, segments, ""))
	mux.Handle(http.MethodPost, pattern, func(w http.ResponseWriter, r *http.Request, _ map[string]string) {
		in, out := runtime.MarshalerForRequest(mux, r)
		ctx, err := runtime.AnnotateContext(r.Context(), mux, r, m.name, runtime.WithHTTPPathPattern(m.path))
		if err != nil {
			runtime.HTTPError(r.Context(), mux, out, w, r, err)
			return
		}
		request, response := &pb.UnaryRequest{}, &pb.UnaryResponse{}
		var md runtime.ServerMetadata
		if err = in.NewDecoder(r.Body).Decode(request); err == nil {
			err = conn.Invoke(ctx, m.name, request, response, grpc.Header(&md.HeaderMD), grpc.Trailer(&md.TrailerMD))
		}
		ctx = runtime.NewServerMetadataContext(ctx, md)
		if err != nil {
			runtime.HTTPError(ctx, mux, out, w, r, err)
			return
		}
		runtime.ForwardResponseMessage(ctx, mux, out, w, r, response)
	})
}

// codeOf is the decision that an HTTP status stands for.
func codeOf(status int) decision.Code {
	switch status {
	case http.StatusOK:
		return decision.OK
	case http.StatusUnauthorized:
		return decision.Unauthenticated
	case http.StatusForbidden:
		return decision.PermissionDenied
	case http.StatusTooManyRequests:
		return decision.Exhausted
	case http.StatusServiceUnavailable:
		return decision.Unavailable
	case http.StatusInternalServerError:
		return decision.Closed
	}
	return decision.Code(status) // no code at all
}
