package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"sync"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/crosscut-go/crosscut/httpadapter"
	"github.com/crosscut-go/crosscut/interceptor"
	bookshopv1 "github.com/crosscut-go/crosscut/proto/crosscut/examples/bookshop/v1"
)

// shop keeps its books in memory. It knows nothing of hooks or transports.
type shop struct {
	bookshopv1.UnimplementedBookshopServiceServer
	mu    sync.Mutex
	books []*bookshopv1.Book
}

func newShop() *shop {
	s := &shop{}
	s.add(&bookshopv1.Book{Title: "The Left Hand of Darkness", Author: "Ursula K. Le Guin", Shelf: "novels", PriceCents: 1200})
	s.add(&bookshopv1.Book{Title: "The Dispossessed", Author: "Ursula K. Le Guin", Shelf: "novels", PriceCents: 1100})
	s.add(&bookshopv1.Book{Title: "The Practice of Programming", Author: "Kernighan, Pike", Shelf: "craft", PriceCents: 3400})
	return s
}

func (s *shop) add(b *bookshopv1.Book) *bookshopv1.Book {
	s.mu.Lock()
	defer s.mu.Unlock()
	stored := &bookshopv1.Book{
		Id: strconv.Itoa(len(s.books) + 1), Title: b.GetTitle(), Author: b.GetAuthor(),
		Shelf: b.GetShelf(), PriceCents: b.GetPriceCents(),
	}
	s.books = append(s.books, stored)
	return stored
}

func (s *shop) list(shelf string) []*bookshopv1.Book {
	s.mu.Lock()
	defer s.mu.Unlock()
	var found []*bookshopv1.Book
	for _, b := range s.books {
		if shelf == "" || b.GetShelf() == shelf {
			found = append(found, b)
		}
	}
	return found
}

func (s *shop) GetBook(_ context.Context, req *bookshopv1.GetBookRequest) (*bookshopv1.GetBookResponse, error) {
	for _, b := range s.list(req.GetShelf()) {
		if b.GetId() == req.GetId() {
			return &bookshopv1.GetBookResponse{Book: b}, nil
		}
	}
	return nil, status.Error(codes.NotFound, "no such book")
}

func (s *shop) CreateBook(_ context.Context, req *bookshopv1.CreateBookRequest) (*bookshopv1.CreateBookResponse, error) {
	if req.GetBook().GetTitle() == "" {
		return nil, status.Error(codes.InvalidArgument, "a book needs a title")
	}
	return &bookshopv1.CreateBookResponse{Book: s.add(req.GetBook())}, nil
}

func (s *shop) ListBooks(req *bookshopv1.ListBooksRequest, stream grpc.ServerStreamingServer[bookshopv1.ListBooksResponse]) error {
	for _, b := range s.list(req.GetShelf()) {
		if err := stream.Send(&bookshopv1.ListBooksResponse{Book: b}); err != nil {
			return err
		}
	}
	return nil
}

func (s *shop) ImportBooks(stream grpc.ClientStreamingServer[bookshopv1.ImportBooksRequest, bookshopv1.ImportBooksResponse]) error {
	for imported := int32(0); ; imported++ {
		req, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return stream.SendAndClose(&bookshopv1.ImportBooksResponse{Imported: imported})
		}
		if err != nil {
			return err
		}
		s.add(req.GetBook())
	}
}

func (s *shop) Recommend(stream grpc.BidiStreamingServer[bookshopv1.RecommendRequest, bookshopv1.RecommendResponse]) error {
	for {
		req, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := stream.Send(s.recommend(req.GetLikedId())); err != nil {
			return err
		}
	}
}

// recommend picks the first other book of the same shelf, or else of the shop.
func (s *shop) recommend(liked string) *bookshopv1.RecommendResponse {
	shelf := ""
	for _, b := range s.list("") {
		if b.GetId() == liked {
			shelf = b.GetShelf()
		}
	}
	for _, b := range append(s.list(shelf), s.list("")...) {
		if b.GetId() != liked {
			return &bookshopv1.RecommendResponse{Book: b, Reason: "It stands near the one you like."}
		}
	}
	return &bookshopv1.RecommendResponse{Reason: "There is no other book yet."}
}

// download is the plain handler of the example: a net/http handler like any
// other, guarded by the same stack.
var download = httpadapter.HandlerFunc(func(w http.ResponseWriter, r *http.Request) error {
	if r.PathValue("name") != "catalogue.txt" {
		return interceptor.NewError(codes.NotFound, "no such file")
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, err := fmt.Fprintln(w, "The catalogue of the bookshop.")
	return err
})
