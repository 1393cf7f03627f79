package main

import (
	"context"
	"fmt"
	"io"
	"net/http"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/types/known/emptypb"

	bookshopv1 "github.com/crosscut-go/crosscut/proto/crosscut/examples/bookshop/v1"
)

// scene is one call that a client makes of both servers.
type scene struct {
	title string
	// public tells that callers are strangers, which each server is told in its
	// own way.
	public bool
	call   func(ctx context.Context, at place) error
}

// place is where a server is.
type place struct{ grpc, http string }

// host is the name that clients ask for, on every port.
const host = "books.example:8443"

// What a caller claims to be part of.
const (
	callersTrace  = "0af7651916cd43dd8448eb211c80319c"
	callersParent = "00-" + callersTrace + "-b7ad6b7169203331-01"
)

const getBook = "/crosscut.examples.bookshop.v1.BookshopService/GetBook"

var scenes = []scene{
	{title: "gRPC: success", call: rpc(getBook, "1")},
	{title: "gRPC: the caller's fault", call: rpc(getBook, "9")},
	{title: "gRPC: the server's fault", call: rpc(getBook, "flood")},
	{title: "gRPC: a code that does not exist", call: rpc(getBook, "odd")},
	{title: "gRPC: a panic in the handler", call: rpc(getBook, "panic")},
	{title: "gRPC: a method that nobody registered", call: rpc("/any.Name/AtAll", "")},
	{title: "gRPC: the client leaves", call: leave(rpc(getBook, "wait"))},
	{title: "REST: success", call: web(http.MethodGet, "/v1/books/1")},
	{title: "REST: the caller's fault", call: web(http.MethodGet, "/v1/books/9")},
	{title: "REST: the server's fault", call: web(http.MethodGet, "/v1/books/flood")},
	{title: "REST: a stranger forges the trace of the inner call", public: true, call: web(http.MethodGet, "/v1/books/1", "Grpc-Metadata-Traceparent", callersParent)},
	{title: "net/http: success", call: web(http.MethodGet, "/files/a?token=secret")},
	{title: "net/http: status 500", call: web(http.MethodGet, "/broken")},
	{title: "net/http: no route", call: web(http.MethodGet, "/no/such/path")},
	{title: "net/http: a method that does not exist", call: web("BREW", "/any")},
	{title: "net/http: a panic in the handler", call: web(http.MethodGet, "/panic")},
	{title: "net/http: http.ErrAbortHandler", call: web(http.MethodGet, "/abort")},
	{title: "net/http: the client leaves before the status", call: leave(web(http.MethodGet, "/wait"))},
	{title: "net/http: a trace from a service of our own", call: web(http.MethodGet, "/files/a", "Traceparent", callersParent, "Baggage", "plan=gold")},
	{title: "net/http: a trace from a stranger", public: true, call: web(http.MethodGet, "/files/a", "Traceparent", callersParent, "Baggage", "plan=gold")},
	{title: "gRPC: a trace from a stranger", public: true, call: rpc(getBook, "1", "traceparent", callersParent, "baggage", "plan=gold")},
}

// rpc calls a method for a book, with metadata.
func rpc(method, book string, md ...string) func(context.Context, place) error {
	return func(ctx context.Context, at place) error {
		conn, err := grpc.NewClient("passthrough:///"+at.grpc, grpc.WithTransportCredentials(insecure.NewCredentials()), grpc.WithAuthority(host))
		if err != nil {
			return err
		}
		defer func() { _ = conn.Close() }()
		ctx = metadata.AppendToOutgoingContext(ctx, md...)
		_ = conn.Invoke(ctx, method, &bookshopv1.GetBookRequest{Id: book}, &emptypb.Empty{}) // failing is what most scenes are about
		return nil
	}
}

// web sends an HTTP request with headers.
func web(method, path string, header ...string) func(context.Context, place) error {
	return func(ctx context.Context, at place) error {
		req, err := http.NewRequestWithContext(ctx, method, "http://"+at.http+path, http.NoBody)
		if err != nil {
			return err
		}
		req.Host = host
		req.Header.Set("User-Agent", "shopper/1.0")
		for i := 0; i+1 < len(header); i += 2 {
			req.Header.Set(header[i], header[i+1])
		}
		client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
		resp, err := client.Do(req)
		if err != nil {
			return nil //nolint:nilerr // being refused an answer is what some scenes are about
		}
		_, _ = io.Copy(io.Discard, resp.Body)
		return resp.Body.Close()
	}
}

// leave makes a call and leaves as soon as the handler has it.
func leave(call func(context.Context, place) error) func(context.Context, place) error {
	return func(ctx context.Context, at place) error {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		stop := context.AfterFunc(waiting(ctx), cancel)
		defer stop()
		return call(ctx, at)
	}
}

// arrivedKey finds what the handler calls when the request has arrived.
type arrivedKey struct{}

// waiting returns a context that is cancelled when the handler of the scene waits
// for its client to leave.
func waiting(ctx context.Context) context.Context {
	arrived, _ := ctx.Value(arrivedKey{}).(context.Context)
	return arrived
}

// shop does what the number of the book says, and shop's pages what the path says.
type shop struct {
	bookshopv1.UnimplementedBookshopServiceServer
	arrived func()
	seen    *handlerFacts
}

func (s *shop) GetBook(ctx context.Context, req *bookshopv1.GetBookRequest) (*bookshopv1.GetBookResponse, error) {
	s.seen.look(ctx)
	switch req.GetId() {
	case "1":
		return &bookshopv1.GetBookResponse{Book: &bookshopv1.Book{Id: "1"}}, nil
	case "flood":
		return nil, grpcError(codes.Unavailable, "the warehouse is under water")
	case "odd":
		return nil, grpcError(codes.Code(77), "odd")
	case "panic":
		panic("boom")
	case "wait":
		s.arrived()
		<-ctx.Done()
		return nil, grpcError(codes.Canceled, "the client left")
	}
	return nil, grpcError(codes.NotFound, "no such book")
}

// pages are the plain handlers, by their patterns.
func (s *shop) pages() map[string]http.HandlerFunc {
	return map[string]http.HandlerFunc{
		"GET /files/{name}": func(w http.ResponseWriter, r *http.Request) {
			s.seen.look(r.Context())
			_, _ = fmt.Fprintln(w, "The catalogue.")
		},
		"GET /broken": func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "broken", http.StatusInternalServerError) },
		"/any":        func(http.ResponseWriter, *http.Request) {},
		"GET /panic":  func(http.ResponseWriter, *http.Request) { panic("boom") },
		"GET /abort":  func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
		"GET /wait": func(_ http.ResponseWriter, r *http.Request) {
			s.arrived()
			<-r.Context().Done()
		},
	}
}
