package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/crosscut-go/crosscut/examples/internal/demo"
	bookshopv1 "github.com/crosscut-go/crosscut/proto/crosscut/examples/bookshop/v1"
)

const devToken = "dev" // the only token the shop knows; it stands for alice

// tour calls the shop with real clients and prints what the hooks saw.
type tour struct {
	out                io.Writer
	witnesses          *witnesses
	logs               *demo.Log
	grpcAddr, httpAddr string

	client bookshopv1.BookshopServiceClient
	labels int
}

// request is one call of the tour: it sends itself with the metadata given and
// says what the client got.
type request struct {
	title string
	send  func(ctx context.Context, label, token string) (string, error)
}

func (t *tour) run(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	conn, err := grpc.NewClient(t.grpcAddr, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	t.client = bookshopv1.NewBookshopServiceClient(conn)

	getBook := []request{
		{"gRPC", t.getBook},
		{"REST", t.get("/v1/books/1")},
		{"net/http", t.get("/files/catalogue.txt")},
	}
	list := []request{
		{"gRPC stream", t.listBooks},
		{"REST stream", t.get("/v1/books?shelf=novels")},
	}
	if _, err := fmt.Fprintln(t.out, "One stack: outermost → requestid → logging → authn → innermost → handler"); err != nil {
		return err
	}
	for _, scene := range []struct {
		title, token string
		requests     []request
	}{
		{"GetBook and a file download, as alice", devToken, getBook},
		{"The same calls without a token: refused before the handler", "", getBook},
		{"ListBooks, a server stream, as alice", devToken, list},
	} {
		if err := t.scene(ctx, scene.title, scene.token, scene.requests); err != nil {
			return fmt.Errorf("%s: %w", scene.title, err)
		}
	}
	return nil
}

func (t *tour) scene(ctx context.Context, title, token string, requests []request) error {
	var columns []column
	for _, r := range requests {
		t.labels++
		label := fmt.Sprint(t.labels)
		seen := t.witnesses.expect(label)
		got, err := r.send(ctx, label, token)
		if err != nil {
			return fmt.Errorf("%s: %w", r.title, err)
		}
		select {
		case <-seen.done:
		case <-ctx.Done():
			return fmt.Errorf("%s: the outermost hook never saw an outcome: %w", r.title, ctx.Err())
		}
		columns = append(columns, column{title: r.title, events: seen.events, logs: t.logs.Take(), got: got})
	}
	return printScene(t.out, title, columns)
}

func outgoing(ctx context.Context, label, token string) context.Context {
	ctx = metadata.AppendToOutgoingContext(ctx, tourHeader, label)
	if token != "" {
		ctx = metadata.AppendToOutgoingContext(ctx, "authorization", "Bearer "+token)
	}
	return ctx
}

func (t *tour) getBook(ctx context.Context, label, token string) (string, error) {
	_, err := t.client.GetBook(outgoing(ctx, label, token), &bookshopv1.GetBookRequest{Id: "1"})
	return status.Code(err).String(), nil
}

func (t *tour) listBooks(ctx context.Context, label, token string) (string, error) {
	stream, err := t.client.ListBooks(outgoing(ctx, label, token), &bookshopv1.ListBooksRequest{Shelf: "novels"})
	if err != nil {
		return "", err
	}
	for {
		if _, err := stream.Recv(); errors.Is(err, io.EOF) {
			return "OK", nil
		} else if err != nil {
			return status.Code(err).String(), nil
		}
	}
}

func (t *tour) get(path string) func(context.Context, string, string) (string, error) {
	return func(ctx context.Context, label, token string) (string, error) {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+t.httpAddr+path, nil)
		if err != nil {
			return "", err
		}
		req.Header.Set(tourHeader, label)
		if token != "" {
			req.Header.Set("Authorization", "Bearer "+token)
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			return "", err
		}
		if _, err := io.Copy(io.Discard, resp.Body); err != nil {
			return "", err
		}
		return resp.Status, resp.Body.Close()
	}
}

func (t *tour) printCommands() error {
	_, err := fmt.Fprintf(t.out, `
Now try it yourself; every call is logged below:

  curl -H 'Authorization: Bearer %[1]s' http://%[2]s/v1/books/1
  curl -H 'Authorization: Bearer %[1]s' http://%[2]s/v1/books
  curl -H 'Authorization: Bearer %[1]s' -d '{"book":{"title":"Kindred"}}' http://%[2]s/v1/books
  curl -H 'Authorization: Bearer %[1]s' http://%[2]s/files/catalogue.txt
  curl -i http://%[2]s/v1/books/1

  grpcurl -plaintext -H 'authorization: Bearer %[1]s' %[3]s list
  grpcurl -plaintext -H 'authorization: Bearer %[1]s' -d '{"id":"1"}' %[3]s crosscut.examples.bookshop.v1.BookshopService/GetBook
  grpcurl -plaintext -H 'authorization: Bearer %[1]s' %[3]s crosscut.examples.bookshop.v1.BookshopService/ListBooks
  grpcurl -plaintext -H 'authorization: Bearer %[1]s' -d '{"liked_id":"1"}' %[3]s crosscut.examples.bookshop.v1.BookshopService/Recommend

Serving gRPC on %[3]s and HTTP on %[2]s; Ctrl-C ends it.
`, devToken, t.httpAddr, t.grpcAddr)
	return err
}
