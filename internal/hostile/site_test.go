package hostile_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"sync/atomic"
	"testing"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/encoding"
	_ "google.golang.org/grpc/encoding/gzip" // a server that inflates what it is sent
	"google.golang.org/grpc/mem"

	"github.com/crosscut-go/crosscut/builtin/authn"
	"github.com/crosscut-go/crosscut/builtin/authn/apikey"
	"github.com/crosscut-go/crosscut/builtin/authz"
	"github.com/crosscut-go/crosscut/builtin/cors"
	"github.com/crosscut-go/crosscut/builtin/csrf"
	"github.com/crosscut-go/crosscut/builtin/logging"
	"github.com/crosscut-go/crosscut/builtin/policy"
	"github.com/crosscut-go/crosscut/builtin/realip"
	"github.com/crosscut-go/crosscut/builtin/requestid"
	"github.com/crosscut-go/crosscut/grpcadapter"
	"github.com/crosscut-go/crosscut/httpadapter"
	"github.com/crosscut-go/crosscut/httpadapter/gateway"
	"github.com/crosscut-go/crosscut/interceptor"
	pb "github.com/crosscut-go/crosscut/proto/crosscut/hostile/v1"
)

// door is a way in.
type door string

const (
	wire    door = "G" // grpc-go's own HTTP/2 server
	mounted door = "S" // the same under net/http
	rest    door = "R" // the gateway over the connection in process
	restMux door = "M" // the same below an httpadapter.Mux
	dialled door = "D" // the gateway over a real connection
	inside  door = "I" // the gateway over the implementation itself
	plain   door = "P" // plain handlers on an httpadapter.Mux
)

var doors = []door{wire, mounted, rest, restMux, dialled, inside, plain}

func (d door) rpc() bool { return d == wire || d == mounted }

// stranger is where requests come from, unless a test says otherwise.
const stranger = "203.0.113.9:4711"

// options change a site.
type options struct {
	peer   string                        // the address of clients
	auth   interceptor.Hook              // instead of authn
	log    []logging.Option              // of the access log
	rules  []policy.Option               // besides those of the plain routes
	grpc   []grpc.ServerOption           // of the gRPC server
	look   grpc.UnaryServerInterceptor   // the user's own, around every handler
	more   func(s grpc.ServiceRegistrar) // registers further services
	mount  func(mux *httpadapter.Mux)    // registers further routes
	gw     []gateway.Option              // of the gateway
	pace   func(*service)                // changes the service before it serves
	health bool                          // the gateway tells it at /healthz
	bare   bool                          // no stack at all
}

// site is the service behind one door.
type site struct {
	t       testing.TB
	door    door
	addr    string
	handler http.Handler // what serves it over HTTP

	service *service
	out     *output
	watches []*watch
	decoded atomic.Int64 // messages of requests
	stack   *interceptor.Stack
	grpc    *grpcadapter.Server
	last    string // what was said about the last row
}

// newSite opens a door.
func newSite(t testing.TB, d door, o options) *site {
	t.Helper()
	s := &site{t: t, door: d, out: newOutput(), service: &service{ended: make(chan error, 16)}}
	if o.pace != nil {
		o.pace(s.service)
	}
	if o.bare {
		s.openBare(o)
	} else {
		s.open(o)
	}
	return s
}

func (s *site) newStack(o options) *interceptor.Stack {
	s.watches = []*watch{newWatch("outermost"), newWatch("innermost")}
	_, record := serviceKey()
	auth := o.auth
	if auth == nil {
		auth = authn.New(authn.Bearer(verifier(keys())), apikey.New(apikey.Static(record)))
	}
	rules := append([]policy.Option{
		policy.DangerouslyAllowUndeclared(),
		policy.Route("GET /admin/stats", policy.Roles("admin")),
		policy.Route("GET /plain/items", policy.Scopes("items.read")),
		policy.Route("POST /plain/items", policy.Scopes("items.write")),
		policy.Route("GET /plain/ping", policy.Public),
		policy.Route("GET /plain/fails", policy.Public),
		policy.Route("GET /plain/files/{name...}", policy.Public),
	}, o.rules...)
	stack := interceptor.MustNew(
		s.watches[0],
		requestid.New(),
		realip.New(realip.Trust("10.0.0.0/8")),
		logging.New(slog.New(slog.NewJSONHandler(s.out, &slog.HandlerOptions{Level: slog.LevelDebug})), o.log...),
		cors.New(cors.Origins("https://app.example.test"), cors.Credentials(), cors.Methods("GET", "POST", "DELETE")),
		csrf.New(csrf.TrustOrigins("https://app.example.test")),
		policy.New(rules...),
		auth,
		authz.New(),
		s.watches[1],
	)
	return stack.ReportTo(func(_ context.Context, _ *interceptor.Call, err error) { s.out.tell(err.Error() + "\n") })
}

// open starts the servers that the door needs.
func (s *site) open(o options) {
	s.t.Helper()
	s.stack = s.newStack(o)
	if o.look != nil {
		o.grpc = append(o.grpc, grpcadapter.WithInterceptors(o.look, nil))
	}
	s.grpc = grpcadapter.NewServer(s.stack, append([]grpc.ServerOption{grpc.ForceServerCodecV2(counting{encoding.GetCodecV2("proto"), &s.decoded})}, o.grpc...)...)
	pb.RegisterItemsServiceServer(s.grpc, s.service)
	if o.more != nil {
		o.more(s.grpc)
	}
	switch s.door {
	case wire:
		s.addr = s.serveGRPC(o, s.grpc)
	case mounted:
		s.addr = s.serveHTTP(o, s.grpc)
	case rest, inside:
		s.addr = s.serveHTTP(o, s.gateway(o, s.grpc.Conn()))
	case dialled:
		s.addr = s.serveHTTP(o, s.gateway(o, s.dial(s.serveGRPC(o, s.grpc))))
	case restMux, plain:
		s.addr = s.serveHTTP(o, s.mux(o))
	}
	s.out.take() // what was said at start-up
}

func (s *site) mux(o options) *httpadapter.Mux {
	mux := httpadapter.NewMux(s.stack)
	mux.Handle("/v1/", s.gateway(o, s.grpc.Conn()))
	for _, pattern := range []string{"GET /admin/stats", "GET /plain/items", "POST /plain/items", "GET /plain/undeclared", "GET /plain/ping", "GET /plain/files/{name...}"} {
		mux.HandleFunc(pattern, s.service.plain)
	}
	mux.Handle("GET /plain/fails", httpadapter.HandlerFunc(s.service.failing))
	if o.mount != nil {
		o.mount(mux)
	}
	if err := mux.Check(); err != nil {
		s.t.Fatal(err)
	}
	return mux
}

func (s *site) gateway(o options, conn grpc.ClientConnInterface) *gateway.Handler {
	opts := append([]gateway.Option{gateway.MuxOptions(
		runtime.WithMarshalerOption(runtime.MIMEWildcard, countingJSON{&runtime.HTTPBodyMarshaler{Marshaler: &runtime.JSONPb{}}, &s.decoded}),
		runtime.WithIncomingHeaderMatcher(forwardKey),
	)}, o.gw...)
	if o.health {
		opts = append(opts, s.healthOption()...)
	}
	gw := gateway.New(s.stack, conn, opts...)
	var err error
	if s.door == inside {
		err = pb.RegisterItemsServiceHandlerServer(s.t.Context(), gw.Mux(), s.service)
	} else {
		err = pb.RegisterItemsServiceHandlerClient(s.t.Context(), gw.Mux(), pb.NewItemsServiceClient(conn))
	}
	if err != nil {
		s.t.Fatal(err)
	}
	if err := gw.Check(); err != nil {
		s.t.Fatal(err)
	}
	return gw
}

// forwardKey lets API keys through to a server that is dialled.
func forwardKey(name string) (string, bool) {
	if name == "X-Api-Key" {
		return "x-api-key", true
	}
	return runtime.DefaultHeaderMatcher(name)
}

// openBare starts the same service as it is without this module.
func (s *site) openBare(o options) {
	s.t.Helper()
	srv := grpc.NewServer(append([]grpc.ServerOption{grpc.ForceServerCodecV2(counting{encoding.GetCodecV2("proto"), &s.decoded})}, o.grpc...)...)
	pb.RegisterItemsServiceServer(srv, s.service)
	gw := runtime.NewServeMux(runtime.WithMarshalerOption(runtime.MIMEWildcard, countingJSON{&runtime.HTTPBodyMarshaler{Marshaler: &runtime.JSONPb{}}, &s.decoded}))
	mux := http.NewServeMux()
	mux.Handle("/v1/", gw)
	for _, pattern := range []string{"GET /admin/stats", "GET /plain/items", "POST /plain/items", "GET /plain/undeclared", "GET /plain/ping", "GET /plain/files/{name...}"} {
		mux.HandleFunc(pattern, s.service.plain)
	}
	var err error
	switch s.door {
	case wire:
		s.addr = s.serveGRPC(o, srv)
	case mounted:
		s.addr = s.serveHTTP(o, srv)
	case rest, dialled, restMux:
		err = pb.RegisterItemsServiceHandlerClient(s.t.Context(), gw, pb.NewItemsServiceClient(s.dial(s.serveGRPC(o, srv))))
	case inside:
		err = pb.RegisterItemsServiceHandlerServer(s.t.Context(), gw, s.service)
	}
	if err != nil {
		s.t.Fatal(err)
	}
	switch s.door {
	case rest, dialled, inside:
		s.addr = s.serveHTTP(o, gw)
	case restMux, plain:
		s.addr = s.serveHTTP(o, mux)
	}
}

// grpcServer is a grpc.Server or one of ours.
type grpcServer interface {
	Serve(lis net.Listener) error
	Stop()
}

func (s *site) serveGRPC(o options, srv grpcServer) string {
	lis := s.listen(o)
	done := make(chan error, 1)
	go func() { done <- srv.Serve(lis) }()
	s.t.Cleanup(func() {
		srv.Stop()
		if err := <-done; err != nil && !errors.Is(err, grpc.ErrServerStopped) { // stopped before it served
			s.t.Errorf("the gRPC server: %v", err)
		}
	})
	return lis.Addr().String()
}

func (s *site) serveHTTP(o options, h http.Handler) string {
	s.handler = h
	srv := &http.Server{Handler: h, Protocols: new(http.Protocols), ErrorLog: log.New(s.out, "", 0)}
	srv.Protocols.SetHTTP1(true)
	srv.Protocols.SetUnencryptedHTTP2(true)
	lis := s.listen(o)
	done := make(chan error, 1)
	go func() { done <- srv.Serve(lis) }()
	s.t.Cleanup(func() {
		_ = srv.Close()
		if err := <-done; !errors.Is(err, http.ErrServerClosed) {
			s.t.Errorf("the HTTP server: %v", err)
		}
	})
	return lis.Addr().String()
}

func (s *site) dial(addr string) *grpc.ClientConn {
	conn, err := grpc.NewClient("passthrough:///"+addr, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// listen makes a listener whose clients have the address of the options.
func (s *site) listen(o options) net.Listener {
	lis, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		s.t.Fatal(err)
	}
	peer := o.peer
	if peer == "" {
		peer = stranger
	}
	return from{lis, net.TCPAddrFromAddrPort(netip.MustParseAddrPort(peer))}
}

// from is a listener whose connections seem to come from an address.
type from struct {
	net.Listener
	peer net.Addr
}

func (l from) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err //nolint:wrapcheck // it stands for the other listener
	}
	return peered{conn, l.peer}, nil
}

// peered is a connection that seems to come from an address.
type peered struct {
	net.Conn
	peer net.Addr
}

func (c peered) RemoteAddr() net.Addr { return c.peer }

// client returns a connection that asks through the door.
func (s *site) client() interface{ ask(a ask) reply } {
	if s.door.rpc() {
		return newH2(s.t, s.addr)
	}
	return newH1(s.t, s.addr)
}

// counting is a codec that counts the messages it decodes.
type counting struct {
	encoding.CodecV2
	n *atomic.Int64
}

func (c counting) Unmarshal(data mem.BufferSlice, v any) error {
	c.n.Add(1)
	return c.CodecV2.Unmarshal(data, v) //nolint:wrapcheck // it stands for the other codec
}

// countingJSON is a marshaler that counts the bodies it decodes.
type countingJSON struct {
	runtime.Marshaler
	n *atomic.Int64
}

func (c countingJSON) Unmarshal(data []byte, v any) error {
	return c.NewDecoder(bytes.NewReader(data)).Decode(v) //nolint:wrapcheck // as above
}

func (c countingJSON) NewDecoder(r io.Reader) runtime.Decoder {
	inner := c.Marshaler.NewDecoder(r)
	return runtime.DecoderFunc(func(v any) error {
		c.n.Add(1)
		return inner.Decode(v) //nolint:wrapcheck // as above
	})
}
