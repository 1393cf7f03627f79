package grpcadapter

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"sync"
	"sync/atomic"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/crosscut-go/crosscut/interceptor"
	"github.com/crosscut-go/crosscut/internal/driver"
)

// core is what a Server, a Registrar and a list of ServerOptions have in common:
// a stack and the methods it guards.
type core struct {
	stack     *interceptor.Stack
	targets   targets
	intercept grpc.UnaryServerInterceptor // (*core).aroundHandler, bound once

	// unknown is the user's own unknown-service handler, nil without one.
	unknown *target
	// lookup finds what a stream that reached the head interceptor will run, nil
	// for an unknown method.
	lookup       func(ctx context.Context, srv any, info *grpc.StreamServerInfo) *target
	knowsService func(ctx context.Context, service string) bool
	// ownUnary says that the user has unary interceptors. Without, grpc-go's
	// chain holds only ours, which has nothing to do on a wrapped method.
	ownUnary bool
	ownCodec bool // one codec was forced for every message
	// What WithInterceptors gave, chained.
	unaryInt  grpc.UnaryServerInterceptor
	streamInt grpc.StreamServerInterceptor

	mounted atomic.Bool // ServeHTTP has continued a call at least once
	held    atomic.Bool // ServeHTTP has held a body at least once

	mu       sync.Mutex
	problems []error
	problem  atomic.Pointer[error] // all of them joined
	told     sync.Once
}

func newCore(what string, stack *interceptor.Stack) *core {
	if stack == nil {
		panic("grpcadapter." + what + ": the stack is nil; make one with interceptor.New")
	}
	c := &core{stack: stack}
	c.intercept = c.aroundHandler
	return c
}

// addProblem records what must be mended before any call is answered.
func (c *core) addProblem(err error) {
	if err == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.problems = append(c.problems, err)
	joined := errors.Join(c.problems...)
	c.problem.Store(&joined)
}

// check returns every problem found so far, or nil.
func (c *core) check() error {
	if err := c.problem.Load(); err != nil {
		return *err
	}
	return nil
}

// closed returns the answer to every call while there are problems, or nil. The
// operator is told once.
func (c *core) closed(ctx context.Context) error {
	err := c.check()
	if err == nil {
		return nil
	}
	c.told.Do(func() {
		ops.Report(c.stack, ctx, nil, fmt.Errorf("crosscut: every call is answered INTERNAL until this is mended: %w", err))
	})
	return errClosed
}

var errClosed = status.Error(codes.Internal, "the server is not configured correctly")

// register makes the targets of a service and returns the description to hand
// to grpc-go: copies, because generated descriptions are globals that every
// server in the process shares.
func (c *core) register(desc *grpc.ServiceDesc, srv any) *grpc.ServiceDesc {
	wrapped := *desc
	wrapped.Methods = append([]grpc.MethodDesc(nil), desc.Methods...)
	wrapped.Streams = append([]grpc.StreamDesc(nil), desc.Streams...)
	added := make(map[string]*target, len(desc.Methods)+len(desc.Streams))
	for i := range wrapped.Streams {
		d := &wrapped.Streams[i]
		t := &target{core: c, srv: srv, stream: d, streamInt: c.streamInt, runStream: d.Handler, nested: isWrapped(d.Handler)}
		t.method = methodOf(desc.ServiceName, d.StreamName, kindOf(d.ClientStreams, d.ServerStreams))
		d.Handler = t.serveStream
		added[t.method.Name()] = t
	}
	for i := range wrapped.Methods {
		d := &wrapped.Methods[i]
		t := &target{core: c, srv: srv, unary: d, unaryInt: c.unaryInt, runUnary: d.Handler, nested: isWrapped(d.Handler)}
		t.method = methodOf(desc.ServiceName, d.MethodName, interceptor.Unary)
		d.Handler = t.serveUnary
		added[t.method.Name()] = t
	}
	for _, t := range c.targets.add(desc, added) {
		c.prepare(t.method)
	}
	return &wrapped
}

// prepare has the stack look at a method over both transports that can carry it.
func (c *core) prepare(m *interceptor.Method) {
	overGRPC := ops.Prepare(c.stack, m, driver.GRPC)
	c.addProblem(overGRPC)
	if err := ops.Prepare(c.stack, m, driver.HTTP); err != nil && (overGRPC == nil || err.Error() != overGRPC.Error()) {
		c.addProblem(err)
	}
}

// targets are the registered RPCs. Reading is free of locks: every registration
// makes a new table.
type targets struct {
	mu        sync.Mutex
	table     atomic.Pointer[targetTable]
	unwrapped sync.Map // full method to *target, for what another server registered
}

type targetTable struct {
	byName   map[string]*target
	inOrder  []*target
	services map[string]bool
}

func (ts *targets) find(fullMethod string) *target {
	if table := ts.table.Load(); table != nil {
		return table.byName[fullMethod]
	}
	return nil
}

func (ts *targets) hasService(name string) bool {
	table := ts.table.Load()
	return table != nil && table.services[name]
}

func (ts *targets) all() []*target {
	if table := ts.table.Load(); table != nil {
		return table.inOrder
	}
	return nil
}

// add adds the targets of one service and returns them in the order of its
// description.
func (ts *targets) add(desc *grpc.ServiceDesc, added map[string]*target) []*target {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	next := &targetTable{byName: map[string]*target{}, services: map[string]bool{}}
	if old := ts.table.Load(); old != nil {
		maps.Copy(next.byName, old.byName)
		maps.Copy(next.services, old.services)
		next.inOrder = append(next.inOrder, old.inOrder...)
	}
	maps.Copy(next.byName, added)
	next.services[desc.ServiceName] = true
	first := len(next.inOrder)
	for _, m := range desc.Methods {
		next.inOrder = append(next.inOrder, added["/"+desc.ServiceName+"/"+m.MethodName])
	}
	for _, s := range desc.Streams {
		next.inOrder = append(next.inOrder, added["/"+desc.ServiceName+"/"+s.StreamName])
	}
	ts.table.Store(next)
	return next.inOrder[first:]
}
