package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"

	shopv1 "github.com/crosscut-go/crosscut/proto/crosscut/examples/secureshop/v1"
)

// tour calls the shop with real clients and prints what they got.
type tour struct {
	*shopfront
	out  io.Writer
	cast *cast
	conn *grpc.ClientConn
	rpc  shopv1.SecureShopServiceClient
	last int // the number of the latest call, which is its request id
}

func newTour(shop *shopfront, out io.Writer) (*tour, error) {
	people, err := newCast(shop.issuer)
	if err != nil {
		return nil, err
	}
	conn, err := grpc.NewClient(shop.grpcAddr, grpc.WithTransportCredentials(credentials.NewTLS(shop.ca.client())))
	if err != nil {
		return nil, err
	}
	return &tour{shopfront: shop, out: out, cast: people, conn: conn, rpc: shopv1.NewSecureShopServiceClient(conn)}, nil
}

func (t *tour) close() { _ = t.conn.Close() }

func (t *tour) run(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	if err := t.printPolicy(); err != nil {
		return err
	}
	for _, s := range t.scenes() {
		if err := t.play(ctx, s); err != nil {
			return fmt.Errorf("%s: %w", s.title, err)
		}
	}
	if err := t.browser(ctx); err != nil {
		return err
	}
	_, err := fmt.Fprintf(t.out, "\nSomebody adds a route and says nothing about who may call it: the server does not start\n\n  %v\n", t.service.forgotten())
	return err
}

func (t *tour) printPolicy() error {
	_, err := fmt.Fprintf(t.out, `One stack: requestid → secureheaders → realip → logging → cors → csrf → policy → authn → authz → handler

Who may call what, from the .proto and from newPolicy in stack.go

%s`, t.service.table())
	return err
}

// scene is the same calls, one on each transport, made by several callers.
type scene struct {
	title   string
	calls   []call
	callers []caller
}

// scenes are in the order in which questions come up.
func (t *tour) scenes() []scene {
	c := t.cast
	getOrder := []call{
		t.overGRPC("gRPC GetOrder", t.getOrder),
		t.overHTTP("REST GetOrder", http.MethodGet, "/v1/members/alice/orders/1", ""),
		t.overHTTP("GET …/receipts/1", http.MethodGet, "/members/alice/receipts/1", ""),
	}
	return []scene{
		{"Public: anybody may call, and no token is looked at", []call{
			t.overGRPC("gRPC GetBook", t.getBook),
			t.overHTTP("REST GetBook", http.MethodGet, "/v1/books/1", ""),
			t.overHTTP("GET /hours", http.MethodGet, "/hours", ""),
		}, []caller{c.nobody, c.alice, c.forged}},
		{"A condition: members may read only their own orders, here one of alice", getOrder,
			[]caller{c.nobody, c.alice, c.bob, c.carol, c.chris}},
		{"A role, of which one is enough: clerk or manager", []call{
			t.overGRPC("gRPC AddBook", t.addBook),
			t.overHTTP("REST AddBook", http.MethodPost, "/v1/books", `{"book":{"title":"Parable of the Sower"}}`),
			t.overHTTP("GET /admin/sales", http.MethodGet, "/admin/sales", ""),
		}, []caller{c.nobody, c.alice, c.chris, c.carol}},
		{"A body of 8 MiB: refused before anything of it is read", []call{
			t.overGRPC("gRPC AddBook", t.addHugeBook),
			t.overHTTP("REST AddBook", http.MethodPost, "/v1/books", `{"book":{"title":"`+hugeTitle()+`"}}`),
		}, []caller{c.nobody, c.alice}},
		{"Tokens that say alice and are not good", getOrder,
			[]caller{c.expired, c.elsewhere, c.forged, c.unsigned}},
		{"Denied: nobody may call, whatever the token", []call{
			t.overGRPC("gRPC DeleteOrder", t.deleteOrder),
			t.overHTTP("REST DeleteOrder", http.MethodDelete, "/v1/members/alice/orders/1", ""),
			t.overHTTP("GET /admin/dump", http.MethodGet, "/admin/dump", ""),
		}, []caller{c.nobody, c.carol}},
		{"A stream: every message is judged, first one about alice's order, then one about bob's", []call{
			t.overGRPC("gRPC TrackOrders", t.trackOrders),
		}, []caller{c.nobody, c.alice}},
	}
}

// play makes all calls of a scene and prints them side by side, with what the log
// says of them.
func (t *tour) play(ctx context.Context, s scene) error {
	table := grid{head: []string{""}}
	for _, c := range s.calls {
		table.head = append(table.head, c.title)
	}
	table.head = append(table.head, "the log says")
	for _, who := range s.callers {
		row := []string{who.title}
		var records []record
		for _, c := range s.calls {
			answer, rec, err := t.make(ctx, c, who)
			if err != nil {
				return fmt.Errorf("%s as %s: %w", c.title, who.title, err)
			}
			row, records = append(row, answer), append(records, rec)
		}
		table.add(append(row, summary(records)), reasons(records)...)
	}
	return table.print(t.out, s.title)
}

// make makes one call and returns what the client got and the one record that the
// log has of it.
func (t *tour) make(ctx context.Context, c call, who caller) (string, record, error) {
	t.last++
	id := fmt.Sprintf("tour-%d", t.last)
	answer, err := c.send(ctx, id, who.token)
	if err != nil {
		return "", record{}, err
	}
	rec, err := t.nextRecord(ctx)
	if err != nil {
		return "", record{}, fmt.Errorf("there is no record of the call: %w", err)
	}
	if rec.RequestID != id {
		return "", record{}, fmt.Errorf("the log has a record too many: call %s, record of %s", id, rec.RequestID)
	}
	return answer, rec, nil
}
