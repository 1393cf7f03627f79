package interceptortest

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"

	"github.com/crosscut-go/crosscut/builtin/logging"
	"github.com/crosscut-go/crosscut/grpcadapter"
	"github.com/crosscut-go/crosscut/httpadapter"
	"github.com/crosscut-go/crosscut/httpadapter/gateway"
	"github.com/crosscut-go/crosscut/interceptor"
	pb "github.com/crosscut-go/crosscut/proto/crosscut/conformance/v1"
)

// named finds a way by its name.
func named(name string) *way {
	return ways[slices.IndexFunc(ways, func(w *way) bool { return w.name == name })]
}

// complete is a server with everything on it: gRPC, the same server mounted, REST
// and plain routes, and in process.
type complete struct {
	*site
	srv     *grpcadapter.Server
	clients map[string]client
}

func newComplete(t *testing.T, stack *interceptor.Stack, svc *service) *complete {
	t.Helper()
	c := &complete{site: &site{way: named("grpc/unary"), id: "complete"}, srv: grpcadapter.NewServer(stack), clients: map[string]client{}}
	ok := func(err error) {
		if err != nil {
			t.Fatal(err)
		}
	}
	ok(c.startGRPC(c.srv, c.srv, svc, ""))
	wire := c.client.(*rpcClient).conn
	gw := gateway.New(stack, c.srv.Conn())
	ok(pb.RegisterConformanceServiceHandlerClient(t.Context(), gw.Mux(), pb.NewConformanceServiceClient(c.srv.Conn())))
	mux := httpadapter.NewMux(stack)
	mux.Handle("/v1/", gw)
	mux.Handle(servicePath, c.srv)
	mux.Handle(plainPattern, httpadapter.HandlerFunc(svc.plain))
	ok(mux.Check())
	addr, err := c.serveHTTP(mux)
	ok(err)
	ok(c.dial(addr, ""))
	mounted := c.client.(*rpcClient).conn
	transport := &http.Transport{MaxConnsPerHost: 32}
	c.onClose(transport.CloseIdleConnections)
	for _, w := range ways {
		web := &webClient{way: w, base: "http://" + addr, http: &http.Client{Transport: transport}}
		switch {
		case w.is(grpcServer):
			c.clients[w.name] = &rpcClient{conn: wire, way: w}
		case w.is(grpcMounted):
			c.clients[w.name] = &rpcClient{conn: mounted, way: w}
		case w.is(inProcess):
			c.clients[w.name] = &rpcClient{conn: c.srv.Conn(), way: w}
		case w.is(restMux, restPost):
			c.clients[w.name] = &restClient{web}
		case w.is(plainMux):
			c.clients[w.name] = &plainClient{web}
		}
	}
	return c
}

// syncBuffer is a buffer for many goroutines.
type syncBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

// 19: a REST call is one call with each hook once, the descriptor that gRPC has,
// and one log record.
func TestOneCallOneMethodOneRecord(t *testing.T) {
	t.Parallel()
	p := newPlay(named("grpc/unary"), nil)
	var log syncBuffer
	stack := interceptor.MustNew(logging.New(slog.New(slog.NewTextHandler(&log, nil))), p.hook("1"), p.hook("2"), p.hook("3"))
	c := newComplete(t, stack, &service{rec: p.rec, do: p.handle})
	rpcs := 0
	for _, w := range ways {
		if client := c.clients[w.name]; client != nil && !w.plain() {
			rpcs++
			if got := client.call(t.Context(), exchange{text: "hello"}); got.code() != codes.OK {
				t.Errorf("%s: %v", w.name, got.err)
			}
		}
	}
	if err := c.close(); err != nil {
		t.Fatal(err)
	}
	records, _ := p.rec.all()
	if lines := strings.Count(log.buf.String(), "\n"); len(records) != rpcs || lines != rpcs {
		t.Errorf("%d calls made %d calls of the stack and %d log records:\n%s", rpcs, len(records), lines, log.buf.String())
	}
	byName := map[string]*interceptor.Method{}
	for _, r := range records {
		if got, want := notation(r.trace), "BR123 BH123 RX123 HND TX321 RS321 AR321 DF"; got != want {
			t.Errorf("%v: trace %s, want %s", r.call.Method().Name(), got, want)
		}
		m := r.call.Method()
		if first := byName[m.Name()]; first != nil && first != m {
			t.Errorf("%s has two methods", m.Name())
		}
		byName[m.Name()] = m
	}
	if len(byName) != 4 {
		t.Errorf("methods %v, want the four of the service", byName)
	}
}

// 18: a hook listed before the one it needs is a construction error that names
// both and the right order.
func TestOrderOfWhatIsRequired(t *testing.T) {
	t.Parallel()
	_, err := interceptor.New(interceptor.As("authz", needsTenant()), interceptor.As("authn", setsTenant()))
	if err == nil || !strings.Contains(err.Error(), "list authn, then authz") {
		t.Errorf("New returned %v", err)
	}
	if _, err := interceptor.New(setsTenant(), needsTenant()); err != nil {
		t.Error(err)
	}
}

// 25: what cannot be looked into is one method with a nil descriptor, and a
// rejection there means that it did not run.
func TestWhatCannotBeLookedInto(t *testing.T) {
	t.Parallel()
	foreign := func(ran *bool) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { *ran = true; _, _ = io.WriteString(w, "foreign") })
	}
	tests := []struct {
		name  string
		start func(s *site, stack *interceptor.Stack, ran *bool) error
		want  string
	}{
		{"a bare handler", func(s *site, stack *interceptor.Stack, ran *bool) error {
			return s.startClient(httpadapter.Wrap(stack, foreign(ran)), func(web *webClient) client { return &plainClient{web} }, "")
		}, "*"},
		{"a foreign router", func(s *site, stack *interceptor.Stack, ran *bool) error {
			mux := httpadapter.NewMux(stack)
			mux.Handle("/", foreign(ran))
			return s.startClient(mux, func(web *webClient) client { return &plainClient{web} }, "")
		}, "/"},
		{"an unknown-service handler", func(s *site, stack *interceptor.Stack, ran *bool) error {
			srv := grpcadapter.NewServer(stack, grpc.UnknownServiceHandler(func(any, grpc.ServerStream) error { *ran = true; return nil }))
			err := s.startGRPC(srv, srv, &service{}, "")
			s.client.(*rpcClient).way = named("grpc/bidi-stream")
			return err
		}, "grpc:*"},
	}
	for _, tt := range tests {
		for _, rejected := range []bool{false, true} {
			t.Run(tt.name, func(t *testing.T) {
				t.Parallel()
				do, code := on(nil), codes.OK
				if rejected {
					do, code = on{"BH2": reject(codes.PermissionDenied, "not you")}, codes.PermissionDenied
				}
				s := &site{way: named("http/handler"), id: tt.name}
				p := newPlay(s.way, do)
				ran := false
				if err := tt.start(s, interceptor.MustNew(p.hook("1"), p.hook("2"), p.hook("3")), &ran); err != nil {
					t.Fatal(err)
				}
				got := s.send(t.Context(), exchange{text: "hello", unknown: true})
				if err := s.close(); err != nil {
					t.Fatal(err)
				}
				m := p.methods[p.rec.order[0].call]
				if got.code() != code || ran == rejected || m.Name() != tt.want || m.Descriptor() != nil {
					t.Errorf("rejected %v: the client got %v, the handler ran: %v, method %q", rejected, got.err, ran, m.Name())
				}
			})
		}
	}
}

// 26: two stacks are two calls, each with all its hooks, and a rejection by the
// outer one is a status that gRPC clients understand.
func TestTwoStacksAreTwoCalls(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name         string
		do           on
		code         codes.Code
		outer, inner string
	}{
		{"success", nil, codes.OK, "BR123 BH123 RS321 AR321 DF", "BR123 BH123 RX123 HND TX321 RS321 AR321 DF"},
		{"rejection", on{"BH2": reject(codes.PermissionDenied, "not you")}, codes.PermissionDenied, "BR123 BH12 OE321 RS321 AR321 DF", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := named("grpc-mounted/unary")
			outer, inner := newPlay(w, tt.do), newPlay(w, nil)
			s := &site{way: w, id: "two stacks"}
			srv := s.newServer(interceptor.MustNew(inner.hook("1"), inner.hook("2"), inner.hook("3")), &service{rec: inner.rec, do: inner.handle})
			mux := httpadapter.NewMux(interceptor.MustNew(outer.hook("1"), outer.hook("2"), outer.hook("3")))
			mux.Handle(servicePath, srv)
			if err := s.startMounted(mux, ""); err != nil {
				t.Fatal(err)
			}
			got := s.send(t.Context(), exchange{text: "hello"})
			if err := s.close(); err != nil {
				t.Fatal(err)
			}
			if got.code() != tt.code {
				t.Errorf("the client got %v, want %v", got.err, tt.code)
			}
			o, i := &outcome{records: outer.rec.order}, &outcome{records: inner.rec.order}
			if o.traces() != tt.outer || i.traces() != tt.inner {
				t.Errorf("the outer stack saw %q, the inner one %q; want %q and %q", o.traces(), i.traces(), tt.outer, tt.inner)
			}
		})
	}
}

// 27: a handler's own call in process is a new call, without its caller's keys,
// values, TLS state or address.
func TestCallOfAHandlerIsACallOfItsOwn(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"grpc/unary", "grpc-mounted/unary", "rest-in-mux/unary", "http/mux", "in-process/unary"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPlay(named(name), nil)
			var c *complete
			p.on = on{
				"BR1": func(m *moment) (context.Context, error) {
					if m.call.RequestHeader().Get("X-Who") != "" {
						callKey.Set(m.call, "principal")
						return context.WithValue(m.ctx, valueKey{}, "value"), nil
					}
					return m.ctx, nil
				},
				hnd: func(m *moment) (context.Context, error) {
					if m.h.text == "outer" {
						_, err := pb.NewConformanceServiceClient(c.srv.Conn()).Unary(m.ctx, &pb.UnaryRequest{Text: "inner"})
						if err != nil {
							return m.ctx, err
						}
					}
					return m.ctx, m.h.send(m.h.text)
				},
			}
			c = newComplete(t, interceptor.MustNew(p.hook("1"), p.hook("2"), p.hook("3")), &service{rec: p.rec, do: p.handle})
			got := c.clients[name].call(t.Context(), exchange{text: "outer", header: http.Header{"X-Who": {"alice"}}})
			if err := c.close(); err != nil {
				t.Fatal(err)
			}
			if got.code() != codes.OK || len(p.rec.order) != 2 {
				t.Fatalf("the client got %v, %d calls were seen", got.err, len(p.rec.order))
			}
			inner := p.rec.order[1]
			if trace := notation(inner.trace); trace != "BR123 BH123 RX123 HND TX321 RS321 AR321 DF" {
				t.Errorf("the inner call's trace is %s", trace)
			}
			for _, f := range p.facts[inner.call] {
				if f.key || f.value {
					t.Errorf("%s of the inner call sees its caller's principal", f.at)
				}
			}
			if peer := inner.call.Peer(); peer.TLS != nil || peer.Addr.Network() != "inprocess" || inner.call.Transport() != interceptor.GRPC {
				t.Errorf("the inner call came from %v with TLS %v over %v", peer.Addr, peer.TLS, inner.call.Transport())
			}
		})
	}
}
