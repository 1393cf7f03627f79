package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"sync"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/crosscut-go/crosscut/builtin/authn"
	"github.com/crosscut-go/crosscut/httpadapter"
	"github.com/crosscut-go/crosscut/interceptor"
	shopv1 "github.com/crosscut-go/crosscut/proto/crosscut/examples/secureshop/v1"
)

// shop keeps its books and orders in memory. Its RPCs check nothing about their
// callers: when one runs, the policy in the .proto is satisfied.
type shop struct {
	shopv1.UnimplementedSecureShopServiceServer
	mu     sync.Mutex
	books  []*shopv1.Book
	orders []*shopv1.Order
}

func newShop() *shop {
	return &shop{
		orders: []*shopv1.Order{
			{Member: "alice", Id: "1", Title: "Kindred", Parcel: "at the door"},
			{Member: "bob", Id: "1", Title: "The Dispossessed", Parcel: "in Lisbon"},
		},
		books: []*shopv1.Book{{Id: "1", Title: "Kindred"}, {Id: "2", Title: "The Dispossessed"}},
	}
}

func (s *shop) GetBook(_ context.Context, req *shopv1.GetBookRequest) (*shopv1.GetBookResponse, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, b := range s.books {
		if b.GetId() == req.GetId() {
			return &shopv1.GetBookResponse{Book: b}, nil
		}
	}
	return nil, status.Error(codes.NotFound, "no such book")
}

func (s *shop) AddBook(_ context.Context, req *shopv1.AddBookRequest) (*shopv1.AddBookResponse, error) {
	if req.GetBook().GetTitle() == "" {
		return nil, status.Error(codes.InvalidArgument, "a book needs a title")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	stored := &shopv1.Book{Id: strconv.Itoa(len(s.books) + 1), Title: req.GetBook().GetTitle()}
	s.books = append(s.books, stored)
	return &shopv1.AddBookResponse{Book: stored}, nil
}

func (s *shop) order(member, id string) (*shopv1.Order, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, o := range s.orders {
		if o.GetMember() == member && o.GetId() == id {
			return o, nil
		}
	}
	return nil, status.Error(codes.NotFound, "no such order")
}

func (s *shop) GetOrder(_ context.Context, req *shopv1.GetOrderRequest) (*shopv1.GetOrderResponse, error) {
	o, err := s.order(req.GetMember(), req.GetId())
	if err != nil {
		return nil, err
	}
	return &shopv1.GetOrderResponse{Order: o}, nil
}

func (s *shop) TrackOrders(stream grpc.BidiStreamingServer[shopv1.TrackOrdersRequest, shopv1.TrackOrdersResponse]) error {
	for {
		req, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		o, err := s.order(req.GetMember(), req.GetId())
		if err != nil {
			return err
		}
		if err := stream.Send(&shopv1.TrackOrdersResponse{Order: o}); err != nil {
			return err
		}
	}
}

// DeleteOrder does what it always did. The policy keeps everybody out.
func (s *shop) DeleteOrder(_ context.Context, req *shopv1.DeleteOrderRequest) (*shopv1.DeleteOrderResponse, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.orders = slices.DeleteFunc(s.orders, func(o *shopv1.Order) bool {
		return o.GetMember() == req.GetMember() && o.GetId() == req.GetId()
	})
	return &shopv1.DeleteOrderResponse{}, nil
}

// receipt is a plain handler. A policy cannot know whose receipt a path means, as
// a plain route has no request message, so the handler decides about that itself.
func (s *shop) receipt(w http.ResponseWriter, r *http.Request) error {
	member := r.PathValue("member")
	if p, _ := authn.From(r.Context()); p.Subject() != member && !p.HasRole("manager") {
		return interceptor.NewError(codes.PermissionDenied, "permission denied",
			interceptor.WithCause(fmt.Errorf("%s asks for the receipt of another member", p)))
	}
	o, err := s.order(member, r.PathValue("id"))
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(w, "%s: 1 × %s\n", o.GetMember(), o.GetTitle())
	return err
}

// sales is for the roles that its policy.Route names.
func (s *shop) sales(w http.ResponseWriter, _ *http.Request) error {
	s.mu.Lock()
	orders := len(s.orders)
	s.mu.Unlock()
	_, err := fmt.Fprintf(w, "%d orders\n", orders)
	return err
}

// say is a plain handler that answers with a fixed text.
func say(text string) http.Handler {
	return httpadapter.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) error {
		_, err := fmt.Fprintln(w, text)
		return err
	})
}
