package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	shopv1 "github.com/crosscut-go/crosscut/proto/crosscut/examples/secureshop/v1"
)

// call is one call of the tour. It sends itself with a request id and a token, and
// says what the client got.
type call struct {
	title string
	send  func(ctx context.Context, id, token string) (string, error)
}

// overGRPC makes a call of one that uses the generated client.
func (t *tour) overGRPC(title string, send func(context.Context) string) call {
	return call{title, func(ctx context.Context, id, token string) (string, error) {
		ctx = metadata.AppendToOutgoingContext(ctx, "x-request-id", id)
		if token != "" {
			ctx = metadata.AppendToOutgoingContext(ctx, "authorization", "Bearer "+token)
		}
		return send(ctx), nil
	}}
}

// overHTTP makes a call of an HTTP request; body is JSON.
func (t *tour) overHTTP(title, method, path, body string) call {
	return call{title, func(ctx context.Context, id, token string) (string, error) {
		header := http.Header{"X-Request-Id": {id}}
		if token != "" {
			header.Set("Authorization", "Bearer "+token)
		}
		if body != "" {
			header.Set("Content-Type", "application/json")
		}
		got, err := t.request(ctx, method, path, body, header)
		return got.status, err
	}}
}

// answer is what a client got over HTTP.
type answer struct {
	code   int
	status string // the code and its name
	header http.Header
}

// request sends an HTTP request and reads the answer to its end.
func (t *tour) request(ctx context.Context, method, path, body string, header http.Header) (answer, error) {
	req, err := http.NewRequestWithContext(ctx, method, "https://"+t.httpAddr+path, strings.NewReader(body))
	if err != nil {
		return answer{}, err
	}
	req.Header = header
	resp, err := t.ca.web.Do(req)
	if err != nil {
		return answer{}, err
	}
	_, err = io.Copy(io.Discard, resp.Body)
	return answer{resp.StatusCode, resp.Status, resp.Header}, errors.Join(err, resp.Body.Close())
}

func (t *tour) getBook(ctx context.Context) string {
	_, err := t.rpc.GetBook(ctx, &shopv1.GetBookRequest{Id: "1"})
	return status.Code(err).String()
}

func (t *tour) addBook(ctx context.Context) string {
	_, err := t.rpc.AddBook(ctx, &shopv1.AddBookRequest{Book: &shopv1.Book{Title: "Parable of the Sower"}})
	return status.Code(err).String()
}

// hugeTitle is more than grpc-go's limit for a message, which is not what refuses it.
func hugeTitle() string { return strings.Repeat("x", 8<<20) }

func (t *tour) addHugeBook(ctx context.Context) string {
	_, err := t.rpc.AddBook(ctx, &shopv1.AddBookRequest{Book: &shopv1.Book{Title: hugeTitle()}})
	return status.Code(err).String()
}

func (t *tour) getOrder(ctx context.Context) string {
	_, err := t.rpc.GetOrder(ctx, &shopv1.GetOrderRequest{Member: "alice", Id: "1"})
	return status.Code(err).String()
}

func (t *tour) deleteOrder(ctx context.Context) string {
	_, err := t.rpc.DeleteOrder(ctx, &shopv1.DeleteOrderRequest{Member: "alice", Id: "1"})
	return status.Code(err).String()
}

// trackOrders asks on one stream about alice's order, and after the answer about
// bob's.
func (t *tour) trackOrders(ctx context.Context) string {
	stream, err := t.rpc.TrackOrders(ctx)
	if err != nil {
		return status.Code(err).String()
	}
	answers := 0
	for _, member := range []string{"alice", "bob"} {
		// Send does not say how a stream ended, Recv does.
		_ = stream.Send(&shopv1.TrackOrdersRequest{Member: member, Id: "1"})
		if _, err = stream.Recv(); err != nil {
			break
		}
		answers++
	}
	return fmt.Sprintf("%d answered, then %s", answers, status.Code(err))
}
