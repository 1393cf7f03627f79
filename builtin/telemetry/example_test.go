package telemetry_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/propagation"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/crosscut-go/crosscut/builtin/telemetry"
	"github.com/crosscut-go/crosscut/grpcadapter"
	"github.com/crosscut-go/crosscut/httpadapter"
	"github.com/crosscut-go/crosscut/httpadapter/gateway"
	"github.com/crosscut-go/crosscut/interceptor"
	pb "github.com/crosscut-go/crosscut/proto/crosscut/conformance/v1"
)

// greeter is the service of the example.
type greeter struct {
	pb.UnimplementedConformanceServiceServer
}

func (greeter) Unary(ctx context.Context, in *pb.UnaryRequest) (*pb.UnaryResponse, error) {
	telemetry.Add(ctx, attribute.String("app.greeting", "hello"))
	return &pb.UnaryResponse{Text: "hello " + in.GetText()}, nil
}

// One hook gives spans to gRPC calls, REST calls and plain requests.
func Example() {
	exporter := tracetest.NewInMemoryExporter()
	provider := sdktrace.NewTracerProvider(sdktrace.WithSyncer(exporter))
	defer func() { _ = provider.Shutdown(context.Background()) }()

	stack := interceptor.MustNew(telemetry.New(telemetry.Restart, // callers are strangers
		telemetry.TracerProvider(provider), telemetry.Propagator(propagation.TraceContext{})))
	srv := grpcadapter.NewServer(stack)
	pb.RegisterConformanceServiceServer(srv, greeter{})
	gw := gateway.New(stack, srv.Conn())
	if err := pb.RegisterConformanceServiceHandlerClient(context.Background(), gw.Mux(), pb.NewConformanceServiceClient(srv.Conn())); err != nil {
		fmt.Println(err)
		return
	}
	mux := httpadapter.NewMux(stack)
	mux.Handle("/v1/", gw)
	mux.Handle("GET /files/{name}", http.NotFoundHandler())

	_, err := pb.NewConformanceServiceClient(srv.Conn()).Unary(context.Background(), &pb.UnaryRequest{})
	fmt.Println("gRPC:", err)
	for _, path := range []string{"/v1/conformance/7", "/files/diary"} {
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, http.NoBody))
		fmt.Println("HTTP:", w.Code)
	}
	for _, span := range exporter.GetSpans() {
		fmt.Println(span.Name)
		for _, kv := range span.Attributes {
			switch kv.Key {
			case "rpc.method", "rpc.response.status_code", "http.response.status_code", "app.greeting":
				fmt.Println("  ", kv.Key, kv.Value.String())
			}
		}
	}

	// Output:
	// gRPC: <nil>
	// HTTP: 200
	// HTTP: 404
	// crosscut.conformance.v1.ConformanceService/Unary
	//    rpc.method crosscut.conformance.v1.ConformanceService/Unary
	//    app.greeting hello
	//    rpc.response.status_code OK
	// GET /v1/conformance/{id}
	//    app.greeting hello
	//    http.response.status_code 200
	//    rpc.method crosscut.conformance.v1.ConformanceService/Unary
	// GET /files/{name}
	//    http.response.status_code 404
}
