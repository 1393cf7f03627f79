package interceptor_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"

	"github.com/crosscut-go/crosscut/interceptor"
	"github.com/crosscut-go/crosscut/internal/driver"
)

// TestZeroCall: neither a zero nor a nil Call, Method or header panics.
func TestZeroCall(t *testing.T) {
	t.Parallel()
	for _, c := range []*callT{nil, new(callT)} {
		c.AwaitMessage()
		_, _ = c.Reply(text("x")), c.ReplyHTTP(200, "", nil)
		c.Defer(func() {})
		userKey.Set(c, "x")
		_, _ = userKey.Get(c)
		_ = c.ResponseTrailer().Set("A", "b")
		c.RequestHeader().Del("a")
		facts := fmt.Sprint(c.Transport(), c.Protocol(), c.Path(), c.Authority(), c.Scheme(), c.HTTPMethod(), c.Route(), c.Method(), c.Request(), c.Response(), c.Err(), c.HTTPStatus(), c.Committed(), c.Denied(), c.RequestHeader().Get("a"), c.ResponseHeader().Values("A"))
		if c.Code() != codes.OK || c.Duration() != 0 || !c.StartTime().IsZero() || c.Received() != c.Sent() || c.Peer().Addr != nil || c.RemoteAddr() != "" {
			t.Errorf("a call that never was says %s", facts)
		}
	}
	var m *methT
	if m.Name() != "" || m.Descriptor() != nil || m.Kind() != interceptor.Unary {
		t.Error("a nil Method says something")
	}
}

// TestFactsFromAnywhere: facts, outcome and keys are read and written by other
// goroutines while the call runs and after it; the race detector judges.
func TestFactsFromAnywhere(t *testing.T) {
	t.Parallel()
	counter, label := interceptor.NewKey[int]("n"), interceptor.NewKey[string]("label")
	for shape, r := range shapes() {
		t.Run(shape, func(t *testing.T) {
			t.Parallel()
			tr := &trace{}
			stop, begun := make(chan struct{}), make(chan struct{})
			var readers sync.WaitGroup
			read := func(c *callT) {
				defer readers.Done()
				for n := 0; ; n++ {
					counter.Set(c, n)
					label.Set(c, "a label")
					if got, ok := label.Get(c); got != "a label" || !ok {
						t.Errorf("the label is %q, %v", got, ok)
					}
					_, _ = counter.Get(c)
					_ = fmt.Sprint(c.Transport(), c.Path(), c.Route(), c.Method().Name(), c.Request() == nil, c.Response() == nil, c.Err(), c.Code(), c.HTTPStatus(), c.Denied(), c.Committed(), c.Duration(), c.Received(), c.Sent(), c.Peer(), c.RemoteAddr(), c.StartTime())
					if n == 0 {
						begun <- struct{}{}
					}
					select {
					case <-stop:
						return
					default:
					}
				}
			}
			r.stack, _ = tr.three(t, funcsT{BeforeRequest: func(ctx ctxT, c *callT) (ctxT, error) {
				for range 2 {
					readers.Add(1)
					go read(c)
					<-begun
				}
				return context.WithoutCancel(ctx), nil
			}}, funcsT{OnError: func(_ ctxT, c *callT, err error) error { return errors.Join(err, errDenied) }}, funcsT{AfterResponse: func(ctxT, *callT) { close(stop) }})
			r.failWith(errors.New("x"))
			var cancel context.CancelFunc
			r.parent, cancel = context.WithCancel(context.Background())
			defer cancel()
			o := r.run()
			readers.Wait()
			if _, ok := counter.Get(o.call); !ok || o.call.Code() != codes.PermissionDenied {
				t.Errorf("key %v, code %v", ok, o.call.Code())
			}
		})
	}
}

// TestStreamBothWays: OnReceive beside OnSend and BeforeResponse of one stream.
func TestStreamBothWays(t *testing.T) {
	t.Parallel()
	tr := &trace{}
	stack, _ := tr.three(t, funcsT{}, funcsT{}, funcsT{})
	const n = 200
	in := make([]proto.Message, n)
	for i := range in {
		in[i] = text("m")
	}
	o := (&rig{stack: stack, method: newRPC(interceptor.BidiStream), request: in, stream: func(s *stream) error {
		var both sync.WaitGroup
		both.Go(func() {
			for range n {
				if _, err := s.recv(); err != nil {
					t.Error(err)
				}
			}
		})
		both.Go(func() {
			for range n {
				if err := s.send(text("m")); err != nil {
					t.Error(err)
				}
			}
		})
		both.Wait()
		return nil
	}}).run()
	if o.call.Received().Messages != n || o.call.Sent().Messages != n || o.err != nil {
		t.Errorf("received %v, sent %v, err %v", o.call.Received(), o.call.Sent(), o.err)
	}
}

// TestManyCalls: no cross-talk between a thousand mixed calls of one stack, and
// each entered call ends once.
func TestManyCalls(t *testing.T) {
	t.Parallel()
	id := interceptor.NewKey[int]("id")
	var entered, ended atomic.Int32
	stack, _ := build(t, interceptor.FromFuncs("id", funcsT{
		BeforeRequest: func(ctx ctxT, c *callT) (ctxT, error) {
			entered.Add(1)
			id.Set(c, ctx.Value(ctxKey("id")).(int))
			return context.WithValue(ctx, ctxKey("own"), c), nil
		},
		AfterResponse: func(ctx ctxT, c *callT) {
			ended.Add(1)
			if n, _ := id.From(ctx); n != ctx.Value(ctxKey("id")).(int) || ctx.Value(ctxKey("own")) != any(c) {
				t.Errorf("call %d got the values of another", n)
			}
		},
	}))
	m := newRPC(interceptor.Unary)
	var all sync.WaitGroup
	for i := range 1000 {
		all.Go(func() {
			r := &rig{stack: stack, method: m, parent: context.WithValue(context.Background(), ctxKey("id"), i)}
			switch i % 3 {
			case 1:
				r.failWith(errDenied)
			case 2:
				r.unary = func(ctxT, any) (any, error) { panic(i) }
			}
			r.run()
		})
	}
	all.Wait()
	if entered.Load() != 1000 || ended.Load() != 1000 {
		t.Errorf("%d entered, %d ended", entered.Load(), ended.Load())
	}
}

// TestKeys: by identity, and a stored nil is there.
func TestKeys(t *testing.T) {
	t.Parallel()
	twin := interceptor.NewKey[string](userKey.Name())
	fault := interceptor.NewKey[error]("fault")
	stack, _ := build(t)
	c := new(callT)
	ctx := ops.Begin(c, stack, context.Background(), &wire{kind: driver.GRPC})
	userKey.Set(c, "a")
	userKey.Set(c, "b")
	fault.Set(c, nil)
	if v, ok := userKey.From(ctx); v != "b" || !ok {
		t.Errorf("got %q %v", v, ok)
	}
	if _, ok := twin.Get(c); ok {
		t.Error("a key of the same name sees the value")
	}
	if v, ok := fault.Get(c); v != nil || !ok {
		t.Errorf("a stored nil is %v %v", v, ok)
	}
	if v, ok := userKey.Value(c); v != "b" || !ok {
		t.Errorf("Value gave %v %v", v, ok)
	}
	if _, ok := userKey.From(context.Background()); ok {
		t.Error("a value without a call")
	}
}

// TestPerMethod: once per method, nil included, also for many at once, and a panic
// does not leave a zero value behind.
func TestPerMethod(t *testing.T) {
	t.Parallel()
	var runs atomic.Int32
	of := interceptor.PerMethod(func(m *methT) string {
		runs.Add(1)
		if m.Kind() == interceptor.BidiStream {
			panic("no limit for it")
		}
		return "of " + m.Name()
	})
	m := newRPC(interceptor.Unary)
	var all sync.WaitGroup
	for range 50 {
		all.Go(func() {
			if of(m) != "of "+m.Name() || of(nil) != "of " {
				t.Error("wrong value")
			}
		})
	}
	all.Wait()
	bad := newRPC(interceptor.BidiStream)
	for range 2 {
		func() {
			defer func() {
				if recover() == nil {
					t.Error("a failed computation gave a value")
				}
			}()
			of(bad)
		}()
	}
	if runs.Load() != 3 {
		t.Errorf("computed %d times, want 3", runs.Load())
	}
}

// TestClaim covers rule 14: one dispatch, of the armed name, by the same stack.
func TestClaim(t *testing.T) {
	t.Parallel()
	stack, _ := build(t)
	other, _ := build(t)
	c := new(callT)
	ctx := ops.Begin(c, stack, context.Background(), &wire{kind: driver.HTTP})
	if ops.Claim(ctx, stack, "/a/B") != nil {
		t.Error("claimed a call that was not armed")
	}
	ops.Arm(c, "/a/B")
	if ops.Claim(ctx, other, "/a/B") != nil || ops.Claim(ctx, stack, "/a/C") != nil || ops.Claim(context.Background(), stack, "/a/B") != nil {
		t.Error("claimed for another stack, method or context")
	}
	var won atomic.Int32
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			if ops.Claim(ctx, stack, "/a/B") == c {
				won.Add(1)
			}
		})
	}
	all.Wait()
	if won.Load() != 1 {
		t.Errorf("claimed %d times, want once", won.Load())
	}
	if ops.StackOf(c) != stack || ops.Transport(c).Kind() != driver.HTTP {
		t.Error("the layers do not find the stack or the transport")
	}
}

// TestSwap: the layer that claimed a call runs its handler; the facts stay.
func TestSwap(t *testing.T) {
	t.Parallel()
	stack, _ := build(t)
	c := new(callT)
	ops.Begin(c, stack, context.Background(), &wire{kind: driver.HTTP, authority: "outer"})
	ran := false
	ops.Request(c)
	ops.Resolve(c, newRPC(interceptor.Unary), "/v1/x")
	ops.Swap(c, &wire{authority: "inner", invoke: func(ctxT) error { ran = true; return nil }})
	if err := ops.Handle(c, ops.Inner(c)); err != nil || !ran || c.Authority() != "outer" || c.Transport() != interceptor.HTTP {
		t.Errorf("err %v, ran %v, authority %q", err, ran, c.Authority())
	}
}

// TestCounts: bytes are unknown as soon as one part was.
func TestCounts(t *testing.T) {
	t.Parallel()
	c := new(callT)
	ops.Sent(c, 1, 10)
	ops.Sent(c, 0, 5)
	ops.ReceivedBytes(c, 7)
	if s, r := c.Sent(), c.Received(); s.Bytes != 15 || s.Messages != 1 || r.Bytes != 7 || r.Messages != 0 {
		t.Errorf("sent %+v, received %+v", s, r)
	}
	if ops.Sent(c, 1, -1); c.Sent().Bytes != -1 || c.Sent().Messages != 2 {
		t.Errorf("sent %+v", c.Sent())
	}
}

// TestPanics covers rule 12: nothing of a panic reaches the client; the operator
// gets value and stack; net/http's own abort is not reported.
func TestPanics(t *testing.T) {
	t.Parallel()
	for shape, r := range shapes() {
		t.Run(shape, func(t *testing.T) {
			t.Parallel()
			var seen *interceptor.PanicError
			tr := &trace{}
			stack, log := build(t, tr.hook("1", funcsT{OnError: func(_ ctxT, _ *callT, err error) error {
				if !errors.As(err, &seen) {
					t.Errorf("OnError got %v", err)
				}
				return err
			}}))
			r.stack = stack
			cause := errors.New("secret")
			r.unary = func(ctxT, any) (any, error) { panic(cause) }
			if r.stream != nil {
				r.stream = func(*stream) error { panic(cause) }
			}
			if r.plain != nil {
				r.plain = func(*plainWriter) error { panic(cause) }
			}
			o := r.run()
			if st := interceptor.StatusOf(o.err); st.Code() != codes.Internal || st.Message() != "internal error" || interceptor.HTTPStatusOf(o.err) != 500 {
				t.Errorf("client got %v", st)
			}
			if seen == nil || len(seen.Stack) == 0 || !errors.Is(seen, cause) || !tr.has("AR1") {
				t.Errorf("OnError saw %#v, trace %s", seen, tr)
			}
			wantText(t, log.String(), "panic: secret")
		})
	}
	stack, log := build(t)
	o := (&rig{stack: stack, kind: driver.HTTP, method: ops.NewRoute("/x"), plain: func(*plainWriter) error { panic(http.ErrAbortHandler) }}).run()
	if !errors.Is(o.err, http.ErrAbortHandler) || log.String() != "" {
		t.Errorf("an abort gave %v and the report %q", o.err, log)
	}
}
