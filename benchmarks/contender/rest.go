package contender

import (
	"context"
	"net"
	"net/http"
	"strings"

	"github.com/fullstorydev/grpchan/inprocgrpc"
	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/crosscut-go/crosscut/grpcadapter"
	"github.com/crosscut-go/crosscut/httpadapter"
	"github.com/crosscut-go/crosscut/httpadapter/gateway"
	"github.com/crosscut-go/crosscut/interceptor"
	pb "github.com/crosscut-go/crosscut/proto/crosscut/conformance/v1"
)

// RESTPattern is where the gateway is mounted.
const RESTPattern = "/v1/"

// REST is a contender for REST through grpc-gateway.
type REST struct {
	Name string
	// Works says which work the contender does; nil for none.
	Works []Work
	// Handler makes the handler of every request, and what ends it.
	Handler func(p *Parts) (h http.Handler, stop func(), err error)
}

// AllREST are the ways of serving REST.
func AllREST() []REST {
	both := []Work{W5, W6}
	return []REST{
		{Name: "crosscut", Works: both, Handler: func(p *Parts) (http.Handler, func(), error) { return crosscutREST(Stack(p)) }},
		{Name: "crosscut-empty", Handler: func(*Parts) (http.Handler, func(), error) { return crosscutREST(interceptor.MustNew()) }},
		{Name: "HandlerServer-chi", Works: both, Handler: serverREST},
		{Name: "HandlerServer-bare", Handler: func(*Parts) (http.Handler, func(), error) { return bareServerREST() }},
		{Name: "endpoint-go-grpc-middleware", Works: both, Handler: func(p *Parts) (http.Handler, func(), error) {
			h, stop, err := endpointREST(middlewareServer(p), runtime.WithIncomingHeaderMatcher(idIn), runtime.WithOutgoingHeaderMatcher(idOut))
			return p.otelHTTP(h), stop, err
		}},
		{Name: "endpoint-bare", Handler: func(*Parts) (http.Handler, func(), error) { return endpointREST(grpc.NewServer()) }},
		{Name: "grpchan-bare", Handler: func(*Parts) (http.Handler, func(), error) { return grpchanREST() }},
	}
}

// crosscutREST has one stack around the request and the RPC that runs in it.
func crosscutREST(stack *interceptor.Stack) (http.Handler, func(), error) {
	srv := grpcadapter.NewServer(stack)
	pb.RegisterConformanceServiceServer(srv, Service{})
	gw := gateway.New(stack, srv.Conn())
	client := pb.NewConformanceServiceClient(srv.Conn())
	if err := pb.RegisterConformanceServiceHandlerClient(context.Background(), gw.Mux(), client); err != nil {
		return nil, nil, err
	}
	mux := httpadapter.NewMux(stack)
	mux.Handle(RESTPattern, gw)
	return mux, srv.Stop, nil
}

// serverREST calls the service's methods directly: no interceptor of gRPC runs,
// and streams are not served.
func serverREST(p *Parts) (http.Handler, func(), error) {
	mux, stop, err := bareServerREST()
	return p.otelHTTP(newChi(RESTPattern+"*", mux, p.chiMiddlewares(p.chiLine)...)), stop, err
}

func bareServerREST() (http.Handler, func(), error) {
	mux := runtime.NewServeMux()
	err := pb.RegisterConformanceServiceHandlerServer(context.Background(), mux, Service{})
	return mux, func() {}, err
}

// endpointREST dials its own server over loopback.
func endpointREST(srv Server, opts ...runtime.ServeMuxOption) (http.Handler, func(), error) {
	pb.RegisterConformanceServiceServer(srv, Service{})
	lis, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, nil, err
	}
	go func() { _ = srv.Serve(lis) }() // Stop ends it
	ctx, cancel := context.WithCancel(context.Background())
	mux := runtime.NewServeMux(opts...)
	err = pb.RegisterConformanceServiceHandlerFromEndpoint(ctx, mux, lis.Addr().String(),
		[]grpc.DialOption{grpc.WithTransportCredentials(insecure.NewCredentials())})
	return mux, func() { cancel(); srv.Stop() }, err
}

// grpchanREST is the in-process channel of grpchan with nothing installed.
func grpchanREST() (http.Handler, func(), error) {
	channel := &inprocgrpc.Channel{}
	pb.RegisterConformanceServiceServer(channel, Service{})
	mux := runtime.NewServeMux()
	err := pb.RegisterConformanceServiceHandlerClient(context.Background(), mux, pb.NewConformanceServiceClient(channel))
	return mux, func() {}, err
}

// idIn and idOut let the gateway carry the request id, which it drops by itself.
func idIn(key string) (string, bool) {
	if strings.EqualFold(key, RequestID) {
		return metadataID, true
	}
	return runtime.DefaultHeaderMatcher(key)
}

func idOut(key string) (string, bool) {
	if key == metadataID {
		return RequestID, true
	}
	return runtime.MetadataHeaderPrefix + key, true
}
