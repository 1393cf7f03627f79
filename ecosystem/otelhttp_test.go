package ecosystem_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"

	"github.com/crosscut-go/crosscut/grpcadapter"
	"github.com/crosscut-go/crosscut/httpadapter"
	"github.com/crosscut-go/crosscut/httpadapter/gateway"
	pb "github.com/crosscut-go/crosscut/proto/crosscut/conformance/v1"
)

// around is otelhttp around a handler.
func (tel *telemetry) around(h http.Handler) http.Handler {
	return otelhttp.NewHandler(h, "operation", otelhttp.WithTracerProvider(tel.tracer), otelhttp.WithMeterProvider(tel.meter))
}

// webRoutes are handlers as programs have them.
var webRoutes = map[string]http.HandlerFunc{
	"GET /plain/{id}": func(w http.ResponseWriter, r *http.Request) { _, _ = fmt.Fprint(w, r.PathValue("id")) },
	"POST /echo":      func(w http.ResponseWriter, r *http.Request) { _, _ = io.Copy(w, r.Body) },
	"GET /missing":    func(w http.ResponseWriter, r *http.Request) { http.NotFound(w, r) },
	"GET /events": func(w http.ResponseWriter, _ *http.Request) {
		for i := range 3 {
			_, _ = fmt.Fprintf(w, "data: %d\n\n", i)
			if err := http.NewResponseController(w).Flush(); err != nil {
				panic(err)
			}
		}
	},
}

// registrar is a mux of either package.
type registrar interface {
	http.Handler
	Handle(pattern string, h http.Handler)
}

// route registers webRoutes, each inside wrap if there is one.
func route(mux registrar, wrap func(http.Handler) http.Handler) http.Handler {
	for pattern, f := range webRoutes {
		var h http.Handler = f
		if wrap != nil {
			h = wrap(h)
		}
		mux.Handle(pattern, h)
	}
	return mux
}

// webTraffic makes requests over HTTP/1.1 and HTTP/2 and returns how many, and
// what came back.
func webTraffic(t *testing.T, addr string) (n int, answers string) {
	t.Helper()
	for _, client := range httpClients(t) {
		for _, r := range []struct{ method, path, body string }{
			{http.MethodGet, "/plain/7", ""},
			{http.MethodPost, "/echo", "some text"},
			{http.MethodGet, "/missing", ""},
			{http.MethodGet, "/events", ""},
			{http.MethodGet, "/nowhere", ""},
		} {
			code, body := fetch(t, client, r.method, "http://"+addr+r.path, r.body)
			answers += fmt.Sprintf("%s %s: %d %q\n", r.method, r.path, code, body)
			n++
		}
	}
	return n, answers
}

// httpClients returns a client for HTTP/1.1 and one for HTTP/2 without TLS.
func httpClients(t *testing.T) []*http.Client {
	t.Helper()
	var clients []*http.Client
	for _, choose := range []func(*http.Protocols, bool){(*http.Protocols).SetHTTP1, (*http.Protocols).SetUnencryptedHTTP2} {
		transport := &http.Transport{Protocols: new(http.Protocols)}
		choose(transport.Protocols, true)
		t.Cleanup(transport.CloseIdleConnections)
		clients = append(clients, &http.Client{Transport: transport})
	}
	return clients
}

// fetch returns the status and the body of an answer.
func fetch(t *testing.T, client *http.Client, method, url, body string) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	resp, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(text)
}

// otelhttp measures around and inside a stack what it measures without one.
func TestOtelhttp(t *testing.T) {
	t.Parallel()
	for _, place := range []struct {
		name            string
		inside, outside bool
		spans           int // of 10 requests, 2 of which no handler answers
	}{
		{"outside", false, true, 10},
		{"inside", true, false, 8},
		{"both", true, true, 18},
	} {
		t.Run(place.name, func(t *testing.T) {
			t.Parallel()
			build := func(mux registrar, tel *telemetry) http.Handler {
				var inner func(http.Handler) http.Handler
				if place.inside {
					inner = tel.around
				}
				h := route(mux, inner)
				if place.outside {
					h = tel.around(h)
				}
				return h
			}
			bare, wrapped, l := newTelemetry(t), newTelemetry(t), newLedger()
			n, got := webTraffic(t, serveHTTP(t, build(httpadapter.NewMux(l.stack(t)), wrapped)))
			_, want := webTraffic(t, serveHTTP(t, build(http.NewServeMux(), bare)))
			if got != want {
				t.Errorf("answers:\n%s\nwithout a stack:\n%s", got, want)
			}
			bare.await(t, place.spans)
			wrapped.await(t, place.spans)
			compare(t, wrapped.summary(t), bare.summary(t))
			l.balance(t, n)
		})
	}
}

// Around a gateway and a gRPC server under net/http, otelhttp makes one span for
// each request, and each is one call.
func TestOtelhttpAroundGatewayAndGRPC(t *testing.T) {
	t.Parallel()
	tel, l := newTelemetry(t), newLedger()
	stack := l.stack(t)
	srv := grpcadapter.NewServer(stack)
	t.Cleanup(srv.GracefulStop)
	pb.RegisterConformanceServiceServer(srv, echo{})
	gw := gateway.New(stack, srv.Conn())
	if err := pb.RegisterConformanceServiceHandlerClient(t.Context(), gw.Mux(), pb.NewConformanceServiceClient(srv.Conn())); err != nil {
		t.Fatal(err)
	}
	mux := httpadapter.NewMux(stack)
	mux.Handle("/v1/", gw)
	mux.Handle("/", srv)
	addr := serveHTTP(t, tel.around(mux))
	for _, client := range httpClients(t) {
		if code, body := fetch(t, client, http.MethodGet, "http://"+addr+"/v1/conformance/7?text=hello", ""); code != http.StatusOK || !strings.Contains(body, "hello") {
			t.Errorf("REST: %d %s", code, body)
		}
	}
	if out, err := pb.NewConformanceServiceClient(dial(t, addr)).Unary(t.Context(), &pb.UnaryRequest{Text: "hello"}); err != nil || out.GetText() != "hello" {
		t.Errorf("gRPC: %v, %v", out, err)
	}
	l.balance(t, 3)
	tel.await(t, 3)
	if n := len(tel.spans.Started()); n != 3 {
		t.Errorf("%d spans for 3 requests", n)
	}
}

// echo answers with the text of the request.
type echo struct {
	pb.UnimplementedConformanceServiceServer
}

func (echo) Unary(_ context.Context, in *pb.UnaryRequest) (*pb.UnaryResponse, error) {
	return &pb.UnaryResponse{Text: in.GetText()}, nil
}
