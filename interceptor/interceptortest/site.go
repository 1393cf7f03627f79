package interceptortest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"runtime/pprof"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/crosscut-go/crosscut/grpcadapter"
	"github.com/crosscut-go/crosscut/httpadapter"
	"github.com/crosscut-go/crosscut/httpadapter/gateway"
	"github.com/crosscut-go/crosscut/interceptor"
	pb "github.com/crosscut-go/crosscut/proto/crosscut/conformance/v1"
)

// site is a server for one way with a client of it.
type site struct {
	way     *way
	client  client
	label   pprof.LabelSet // marks the goroutines of the site
	id      string
	closers []func() // run last first
}

var sites atomic.Int64

// newSite starts a server that runs the stack around svc.
func newSite(w *way, stack *interceptor.Stack, svc *service, authority string) (*site, error) {
	s := &site{way: w, id: strconv.FormatInt(sites.Add(1), 10)}
	s.label = pprof.Labels(siteLabel, s.id)
	var err error
	s.marked(context.Background(), func(context.Context) { err = s.start(stack, svc, authority) })
	if err != nil {
		return nil, errors.Join(err, s.close())
	}
	return s, nil
}

const siteLabel = "interceptortest"

// marked runs f such that every goroutine begun in it can be told from those of
// other tests: goroutines inherit the labels of who begins them.
func (s *site) marked(ctx context.Context, f func(context.Context)) { pprof.Do(ctx, s.label, f) }

func (s *site) start(stack *interceptor.Stack, svc *service, authority string) error {
	switch s.way.front {
	case grpcServer:
		srv := grpcadapter.NewServer(stack)
		return s.startGRPC(srv, srv, svc, authority)
	case grpcGuard:
		srv := grpc.NewServer()
		return s.startGRPC(srv, grpcadapter.Guard(stack, srv), svc, authority)
	case grpcOptions:
		srv := grpc.NewServer(grpcadapter.ServerOptions(stack)...)
		return s.startGRPC(srv, srv, svc, authority)
	case inProcess:
		srv := s.newServer(stack, svc)
		s.client = &rpcClient{conn: srv.Conn(), way: s.way, authority: authority}
		return srv.Check()
	case grpcMounted:
		mux := httpadapter.NewMux(stack)
		mux.Handle(servicePath, s.newServer(stack, svc))
		return s.startMounted(mux, authority)
	case restGet, restPost, restMux:
		return s.startGateway(stack, svc, authority)
	default:
		return s.startPlain(stack, svc, authority)
	}
}

// grpcStopper is a gRPC server of either package.
type grpcStopper interface {
	Serve(net.Listener) error
	GracefulStop()
}

func (s *site) startGRPC(srv grpcStopper, reg grpc.ServiceRegistrar, svc *service, authority string) error {
	pb.RegisterConformanceServiceServer(reg, svc)
	if checked, ok := srv.(*grpcadapter.Server); ok {
		if err := checked.Check(); err != nil {
			return err
		}
	}
	lis, err := listen()
	if err != nil {
		return err
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = srv.Serve(lis) // that it was closed
	}()
	s.onClose(func() {
		srv.GracefulStop() // waits for the handlers
		<-done
	})
	return s.dial(lis.Addr().String(), authority)
}

// dial makes the gRPC client of the site.
func (s *site) dial(addr, authority string) error {
	opts := []grpc.DialOption{grpc.WithTransportCredentials(insecure.NewCredentials())}
	if authority != "" {
		opts = append(opts, grpc.WithAuthority(authority))
	}
	conn, err := grpc.NewClient("passthrough:///"+addr, opts...)
	if err != nil {
		return err
	}
	s.onClose(func() { _ = conn.Close() })
	s.client = &rpcClient{conn: conn, way: s.way}
	return nil
}

// newServer makes a server that other handlers use.
func (s *site) newServer(stack *interceptor.Stack, svc *service) *grpcadapter.Server {
	srv := grpcadapter.NewServer(stack)
	pb.RegisterConformanceServiceServer(srv, svc)
	s.onClose(srv.GracefulStop)
	return srv
}

func (s *site) startMounted(mux *httpadapter.Mux, authority string) error {
	if err := mux.Check(); err != nil {
		return err
	}
	addr, err := s.serveHTTP(mux)
	if err != nil {
		return err
	}
	return s.dial(addr, authority)
}

func (s *site) startGateway(stack *interceptor.Stack, svc *service, authority string) error {
	conn := s.newServer(stack, svc).Conn()
	// Headers that the handler sets keep their names, as on every other transport;
	// a stock gateway would prefix them.
	same := func(key string) (string, bool) { return key, true }
	gw := gateway.New(stack, conn, gateway.MuxOptions(runtime.WithOutgoingHeaderMatcher(same), runtime.WithOutgoingTrailerMatcher(same)))
	if err := pb.RegisterConformanceServiceHandlerClient(context.Background(), gw.Mux(), pb.NewConformanceServiceClient(conn)); err != nil {
		return err
	}
	var handler interface {
		http.Handler
		Check() error
	} = gw
	if s.way.front == restMux {
		mux := httpadapter.NewMux(stack)
		mux.Handle("/v1/", gw)
		handler = mux
	}
	if err := handler.Check(); err != nil {
		return err
	}
	return s.startClient(handler, func(web *webClient) client { return &restClient{web} }, authority)
}

// plainPattern is the route of the plain handler.
const plainPattern = "POST /plain"

func (s *site) startPlain(stack *interceptor.Stack, svc *service, authority string) error {
	var handler http.Handler
	plain := httpadapter.HandlerFunc(svc.plain)
	switch s.way.front {
	case plainMux:
		mux := httpadapter.NewMux(stack)
		mux.Handle(plainPattern, plain)
		if err := mux.Check(); err != nil {
			return err
		}
		handler = mux
	case plainRouter:
		mux := http.NewServeMux()
		mux.Handle(plainPattern, plain)
		handler = httpadapter.Wrap(stack, mux)
	default:
		handler = httpadapter.Wrap(stack, plain)
	}
	return s.startClient(handler, func(web *webClient) client { return &plainClient{web} }, authority)
}

// startClient serves handler and makes an HTTP client for it.
func (s *site) startClient(handler http.Handler, newClient func(*webClient) client, authority string) error {
	addr, err := s.serveHTTP(handler)
	if err != nil {
		return err
	}
	transport := &http.Transport{}
	s.onClose(transport.CloseIdleConnections)
	web := &webClient{way: s.way, base: "http://" + addr, authority: authority, http: &http.Client{
		Transport:     transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
	s.client = newClient(web)
	return nil
}

// serveHTTP serves handler, over HTTP/2 without TLS as well, and returns its
// address.
func (s *site) serveHTTP(handler http.Handler) (string, error) {
	lis, err := listen()
	if err != nil {
		return "", err
	}
	var running inFlight
	srv := &http.Server{Handler: running.around(handler), Protocols: new(http.Protocols), ErrorLog: silent}
	srv.Protocols.SetHTTP1(true)
	srv.Protocols.SetUnencryptedHTTP2(true)
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = srv.Serve(lis) // that it was closed
	}()
	s.onClose(func() {
		running.wait()
		_ = srv.Close()
		<-done
	})
	return lis.Addr().String(), nil
}

func listen() (net.Listener, error) {
	lis, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		lis, err = net.Listen("tcp6", "[::1]:0")
	}
	return lis, err
}

// inFlight counts the requests that are being handled. http.Server.Shutdown does
// not wait for the handler of a stream that the client has reset.
type inFlight struct {
	mu      sync.Mutex
	running sync.WaitGroup
	closed  bool
}

func (f *inFlight) around(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f.mu.Lock()
		closed := f.closed
		if !closed {
			f.running.Add(1)
		}
		f.mu.Unlock()
		if closed {
			panic(http.ErrAbortHandler)
		}
		defer f.running.Done()
		next.ServeHTTP(w, r)
	})
}

// wait lets nothing more begin and waits for what has begun.
func (f *inFlight) wait() {
	f.mu.Lock()
	f.closed = true
	f.mu.Unlock()
	f.running.Wait()
}

func (s *site) onClose(f func()) { s.closers = append(s.closers, f) }

// patience is how long a call may take to end before the kit gives up. It only
// bounds tests that have failed.
const patience = 20 * time.Second

// close stops client and server and returns when every call has ended.
func (s *site) close() error {
	done := make(chan struct{})
	go func() {
		defer close(done)
		for len(s.closers) > 0 {
			last := len(s.closers) - 1
			s.closers[last]()
			s.closers = s.closers[:last]
		}
	}()
	select {
	case <-done:
		return nil
	case <-time.After(patience):
		return fmt.Errorf("%s: a call has not ended %v after its client was gone; a hook or a handler does not heed its context. Its goroutines:\n%s", s.way.name, patience, s.stacks())
	}
}
