package main

import (
	"context"

	"go.opentelemetry.io/otel/attribute"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/crosscut-go/crosscut/builtin/telemetry"
	bookshopv1 "github.com/crosscut-go/crosscut/proto/crosscut/examples/bookshop/v1"
)

// shelfKey is an attribute of the shop's own, on spans and metrics. It may be a
// label because a shop has few shelves.
const shelfKey = attribute.Key("book.shelf")

// shop answers customers. It has no books itself but asks the warehouse for each.
type shop struct {
	bookshopv1.UnimplementedBookshopServiceServer
	warehouse bookshopv1.BookshopServiceClient
}

func (s *shop) GetBook(ctx context.Context, req *bookshopv1.GetBookRequest) (*bookshopv1.GetBookResponse, error) {
	// ctx carries the span of this call, so the warehouse's becomes part of the trace.
	resp, err := s.warehouse.GetBook(ctx, req)
	if err != nil {
		return nil, err
	}
	telemetry.Add(ctx, shelfKey.String(resp.GetBook().GetShelf()))
	return resp, nil
}

// warehouse is the second server.
type warehouse struct {
	bookshopv1.UnimplementedBookshopServiceServer
}

var stock = map[string]*bookshopv1.Book{
	"1": {Id: "1", Title: "The Left Hand of Darkness", Author: "Ursula K. Le Guin", Shelf: "novels", PriceCents: 1200},
	"2": {Id: "2", Title: "The Practice of Programming", Author: "Kernighan, Pike", Shelf: "craft", PriceCents: 3400},
}

func (warehouse) GetBook(_ context.Context, req *bookshopv1.GetBookRequest) (*bookshopv1.GetBookResponse, error) {
	if req.GetId() == "flood" {
		return nil, status.Error(codes.Unavailable, "the warehouse is under water")
	}
	book, ok := stock[req.GetId()]
	if !ok {
		return nil, status.Error(codes.NotFound, "no such book")
	}
	return &bookshopv1.GetBookResponse{Book: book}, nil
}
