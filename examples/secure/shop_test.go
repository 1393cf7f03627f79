package main

import (
	"context"
	"net/http"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	shopv1 "github.com/crosscut-go/crosscut/proto/crosscut/examples/secureshop/v1"
)

// open starts the example without its tour.
func open(t *testing.T) *tour {
	t.Helper()
	shop, err := start(t.Context(), settings{grpc: "localhost:0", http: "localhost:0", issuer: "localhost:0"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(shop.stop)
	visit, err := newTour(shop, t.Output())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(visit.close)
	return visit
}

func as(t *testing.T, who caller) context.Context {
	return metadata.AppendToOutgoingContext(t.Context(), "authorization", "Bearer "+who.token)
}

// A status says what a client is told. Here it is what the shop did: nothing, when
// the call was denied, and what was asked, when it was not.
func TestDeniedCallsChangeNothing(t *testing.T) {
	t.Parallel()
	shop := open(t)
	book := &shopv1.AddBookRequest{Book: &shopv1.Book{Title: "Fledgling"}}
	order := &shopv1.DeleteOrderRequest{Member: "alice", Id: "1"}

	for _, who := range []caller{shop.cast.nobody, shop.cast.alice, shop.cast.bob, shop.cast.forged} {
		if _, err := shop.rpc.AddBook(as(t, who), book); err == nil {
			t.Errorf("%s added a book over gRPC", who.title)
		}
		if got := shop.status(t, http.MethodPost, "/v1/books", `{"book":{"title":"Fledgling"}}`, who); got < 400 {
			t.Errorf("%s added a book over REST: %d", who.title, got)
		}
	}
	for _, who := range []caller{shop.cast.alice, shop.cast.carol} {
		if _, err := shop.rpc.DeleteOrder(as(t, who), order); err == nil {
			t.Errorf("%s deleted an order over gRPC", who.title)
		}
		if got := shop.status(t, http.MethodDelete, "/v1/members/alice/orders/1", "", who); got < 400 {
			t.Errorf("%s deleted an order over REST: %d", who.title, got)
		}
	}

	if _, err := shop.rpc.GetBook(t.Context(), &shopv1.GetBookRequest{Id: "3"}); status.Code(err) != codes.NotFound {
		t.Errorf("GetBook of a third book: %v; want none, as nobody was allowed to add it", err)
	}
	if _, err := shop.rpc.GetOrder(as(t, shop.cast.alice), &shopv1.GetOrderRequest{Member: "alice", Id: "1"}); err != nil {
		t.Errorf("alice's order after all the attempts to delete it: %v", err)
	}
	if added, err := shop.rpc.AddBook(as(t, shop.cast.chris), book); err != nil || added.GetBook().GetId() != "3" {
		t.Errorf("a clerk adds a book: %v, %v; want the third", added, err)
	}
}

func (t *tour) status(tb *testing.T, method, path, body string, who caller) int {
	tb.Helper()
	header := http.Header{"Authorization": {"Bearer " + who.token}, "Content-Type": {"application/json"}}
	got, err := t.request(tb.Context(), method, path, body, header)
	if err != nil {
		tb.Fatal(err)
	}
	return got.code
}

// A clerk's token has no scope, a member's no role of the staff: neither stands for
// the other.
func TestScopesAndRolesDoNotMix(t *testing.T) {
	t.Parallel()
	shop := open(t)
	for _, test := range []struct {
		who  caller
		path string
		want int
	}{
		{shop.cast.chris, "/v1/members/alice/orders/1", 403},
		{shop.cast.chris, "/members/alice/receipts/1", 403},
		{shop.cast.alice, "/admin/sales", 403},
		{shop.cast.bob, "/members/bob/receipts/1", 200},
		{shop.cast.bob, "/members/bob/receipts/2", 404},
		{shop.cast.carol, "/members/bob/receipts/1", 200},
	} {
		if got := shop.status(t, http.MethodGet, test.path, "", test.who); got != test.want {
			t.Errorf("GET %s by %s: %d; want %d", test.path, test.who.title, got, test.want)
		}
	}
}

// Health is open to the machines that ask for it, as newPolicy declares.
func TestHealthIsPublic(t *testing.T) {
	t.Parallel()
	shop := open(t)
	answer, err := grpc_health_v1.NewHealthClient(shop.conn).Check(t.Context(), &grpc_health_v1.HealthCheckRequest{})
	if err != nil || answer.GetStatus() != grpc_health_v1.HealthCheckResponse_SERVING {
		t.Errorf("Check() = %v, %v; want SERVING", answer, err)
	}
}

// Everything the program serves has a policy, and every policy is of something.
func TestTableIsComplete(t *testing.T) {
	t.Parallel()
	table := open(t).service.table()
	if err := table.Err(); err != nil {
		t.Error(err)
	}
	if len(table.Unused) > 0 {
		t.Errorf("newPolicy declares what does not exist: %q", table.Unused)
	}
	if err := open(t).service.forgotten(); err == nil {
		t.Error("a server with an undeclared route starts")
	}
}
