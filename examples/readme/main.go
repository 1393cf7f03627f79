// Readme is the program that README.md shows: one hook sees three calls, with a good
// token and with a bad one, over gRPC, REST and net/http.
package main

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/crosscut-go/crosscut/builtin/authn"
	"github.com/crosscut-go/crosscut/grpcadapter"
	"github.com/crosscut-go/crosscut/httpadapter"
	"github.com/crosscut-go/crosscut/httpadapter/gateway"
	"github.com/crosscut-go/crosscut/interceptor"
	pb "github.com/crosscut-go/crosscut/proto/crosscut/examples/bookshop/v1"
	"google.golang.org/grpc/metadata"
)

type shop struct{ pb.UnimplementedBookshopServiceServer }

func (shop) GetBook(context.Context, *pb.GetBookRequest) (*pb.GetBookResponse, error) {
	return &pb.GetBookResponse{Book: &pb.Book{Title: "Kindred"}}, nil
}

func main() {
	audit := interceptor.FromFuncs("audit", interceptor.Funcs{ // a hook: one concern, every transport
		AfterResponse: func(_ context.Context, call *interceptor.Call) {
			fmt.Println(call.Transport(), call.Method().Name(), call.Code())
		},
	})
	stack := interceptor.MustNew(audit, authn.New(authn.Bearer(authn.StaticTokens(map[string]string{"dev": "alice"}))))
	srv := grpcadapter.NewServer(stack) // serves gRPC: srv.Serve(listener)
	pb.RegisterBookshopServiceServer(srv, shop{})
	client, gw := pb.NewBookshopServiceClient(srv.Conn()), gateway.New(stack, srv.Conn())
	if err := pb.RegisterBookshopServiceHandlerClient(context.Background(), gw.Mux(), client); err != nil {
		panic(err)
	}
	mux := httpadapter.NewMux(stack) // serves HTTP: http.ListenAndServe(addr, mux)
	mux.Handle("/v1/", gw)
	mux.HandleFunc("GET /files/{name}", func(http.ResponseWriter, *http.Request) {})
	for _, token := range []string{"dev", "stolen"} {
		_, _ = client.GetBook(metadata.AppendToOutgoingContext(context.Background(), "authorization", "Bearer "+token), &pb.GetBookRequest{})
		for _, path := range []string{"/v1/books/1", "/files/a.txt"} {
			req := httptest.NewRequest(http.MethodGet, path, nil)
			req.Header.Set("Authorization", "Bearer "+token)
			mux.ServeHTTP(httptest.NewRecorder(), req)
		}
	}
}
