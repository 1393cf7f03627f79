package main

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"

	"go.opentelemetry.io/contrib/instrumentation/google.golang.org/grpc/otelgrpc"
	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"

	bookshopv1 "github.com/crosscut-go/crosscut/proto/crosscut/examples/bookshop/v1"
)

// spansPerCall are those of the customer, its client, the shop's server, its client
// of the warehouse, and the warehouse, over either transport.
const spansPerCall = 5

// tour calls the shop with real clients and prints what was recorded of it.
type tour struct {
	out    io.Writer
	system *system

	client bookshopv1.BookshopServiceClient
	web    *http.Client
	traces []string // ids of those that were made
}

func (t *tour) run(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 60*time.Second)
	defer cancel()
	disconnect, err := t.connect()
	if err != nil {
		return err
	}
	defer disconnect()

	for _, scene := range []struct{ title, book string }{
		{"A book that is there", "1"},
		{"A book that is not there: the caller's fault, so no server's span has failed", "9"},
		{"The warehouse is out of order: the server's fault, so spans and metrics say so", "flood"},
	} {
		if err := t.scene(ctx, scene.title, scene.book); err != nil {
			return fmt.Errorf("%s: %w", scene.title, err)
		}
	}
	return t.printMetrics(ctx)
}

// connect makes the clients, and returns what closes their connections.
func (t *tour) connect() (disconnect func(), err error) {
	conn, err := grpc.NewClient(t.system.addr.grpc,
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithStatsHandler(otelgrpc.NewClientHandler(otelgrpc.WithTracerProvider(t.system.customers), otelgrpc.WithPropagators(propagator))),
	)
	if err != nil {
		return nil, err
	}
	t.client = bookshopv1.NewBookshopServiceClient(conn)
	base := &http.Transport{}
	t.web = &http.Client{Transport: otelhttp.NewTransport(base, otelhttp.WithTracerProvider(t.system.customers), otelhttp.WithPropagators(propagator))}
	return func() {
		_ = conn.Close()
		base.CloseIdleConnections()
	}, nil
}

// recording is what was recorded of one call.
type recording struct {
	title  string // the transport
	got    string // what the client got
	id     string // of the trace
	spans  []span
	logged string // the log record
}

// scene makes one call over each transport and prints their traces side by side.
func (t *tour) scene(ctx context.Context, title, book string) error {
	both, err := t.record(ctx, book)
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintf(t.out, "\n%s\n\n", title); err != nil {
		return err
	}
	return printSideBySide(t.out, both[0].lines(), both[1].lines())
}

// record makes one call over each transport, REST first.
func (t *tour) record(ctx context.Context, book string) (both [2]recording, err error) {
	for i, call := range []struct {
		title string
		send  func(ctx context.Context, book string) (string, error)
	}{{"REST", t.get}, {"gRPC", t.getBook}} {
		if both[i], err = t.call(ctx, book, call.send); err != nil {
			return both, fmt.Errorf("%s: %w", call.title, err)
		}
		both[i].title = call.title
		t.traces = append(t.traces, both[i].id)
	}
	return both, nil
}

// call makes a call in a trace of its own and waits until all services have
// exported their part.
func (t *tour) call(ctx context.Context, book string, send func(context.Context, string) (string, error)) (r recording, err error) {
	inTrace, root := t.system.customers.Tracer("tour").Start(ctx, "wants book "+book)
	r.got, err = send(inTrace, book)
	root.End()
	if err != nil {
		return r, err
	}
	r.id = root.SpanContext().TraceID().String()
	if r.spans, err = t.system.collector.await(ctx, r.id, spansPerCall); err != nil {
		return r, err
	}
	r.logged, err = t.system.logs.Next(ctx)
	return r, err
}

// lines draws a recording for a terminal.
func (r recording) lines() []string {
	lines := append([]string{r.title + ": the client got " + r.got, ""}, tree(r.spans)...)
	return append(lines, "", place(r.logged, r.spans))
}

// place tells where in a trace a log record belongs, by the ids it carries.
func place(logged string, spans []span) string {
	var record struct {
		Code    string `json:"code"`
		TraceID string `json:"trace_id"`
		SpanID  string `json:"span_id"`
	}
	if err := json.Unmarshal([]byte(logged), &record); err != nil {
		return "no log record: " + logged
	}
	for _, s := range spans {
		if record.TraceID == hex.EncodeToString(s.GetTraceId()) && record.SpanID == hex.EncodeToString(s.GetSpanId()) {
			return fmt.Sprintf("log record: %s, with the ids of %s", record.Code, title(s))
		}
	}
	return "log record: of no span of this trace: " + logged
}

func (t *tour) get(ctx context.Context, book string) (string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+t.system.addr.http+"/v1/books/"+book, http.NoBody)
	if err != nil {
		return "", err
	}
	resp, err := t.web.Do(req)
	if err != nil {
		return "", err
	}
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		return "", err
	}
	return resp.Status, resp.Body.Close()
}

func (t *tour) getBook(ctx context.Context, book string) (string, error) {
	_, err := t.client.GetBook(ctx, &bookshopv1.GetBookRequest{Id: book})
	return status.Code(err).String(), nil
}
