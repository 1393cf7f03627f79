// Readme is the program that README.md shows: one hook sees a call over gRPC,
// REST and net/http, and one that is refused.
package main

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"

	"google.golang.org/grpc/metadata"

	"github.com/crosscut-go/crosscut/builtin/authn"
	"github.com/crosscut-go/crosscut/grpcadapter"
	"github.com/crosscut-go/crosscut/httpadapter"
	"github.com/crosscut-go/crosscut/httpadapter/gateway"
	"github.com/crosscut-go/crosscut/interceptor"
	pb "github.com/crosscut-go/crosscut/proto/crosscut/examples/bookshop/v1"
)

type shop struct {
	pb.UnimplementedBookshopServiceServer
}

func (shop) GetBook(context.Context, *pb.GetBookRequest) (*pb.GetBookResponse, error) {
	return &pb.GetBookResponse{Book: &pb.Book{Title: "Kindred"}}, nil
}

func audit(_ context.Context, call *interceptor.Call) { // a hook's phase: one concern, every transport
	fmt.Println(call.Transport(), call.Method().Name(), call.Code())
}

func main() {
	hook := interceptor.FromFuncs("audit", interceptor.Funcs{AfterResponse: audit})
	stack := interceptor.MustNew(hook, authn.New(authn.Bearer(authn.StaticTokens(map[string]string{"dev": "alice"}))))
	srv := grpcadapter.NewServer(stack) // serves gRPC: srv.Serve(listener)
	pb.RegisterBookshopServiceServer(srv, shop{})
	client, gw := pb.NewBookshopServiceClient(srv.Conn()), gateway.New(stack, srv.Conn())
	if err := pb.RegisterBookshopServiceHandlerClient(context.Background(), gw.Mux(), client); err != nil {
		panic(err)
	}
	mux := httpadapter.NewMux(stack) // serves HTTP: http.ListenAndServe(addr, mux)
	mux.Handle("/v1/", gw)
	mux.HandleFunc("GET /files/{name}", func(http.ResponseWriter, *http.Request) {})
	_, _ = client.GetBook(metadata.AppendToOutgoingContext(context.Background(), "authorization", "Bearer dev"), &pb.GetBookRequest{})
	for _, call := range [][2]string{{"/v1/books/1", "dev"}, {"/files/a.txt", "dev"}, {"/v1/books/1", "stolen"}} {
		req := httptest.NewRequest(http.MethodGet, call[0], nil)
		req.Header.Set("Authorization", "Bearer "+call[1])
		mux.ServeHTTP(httptest.NewRecorder(), req)
	}
}
