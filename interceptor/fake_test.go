package interceptor_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/crosscut-go/crosscut/interceptor"
	"github.com/crosscut-go/crosscut/internal/driver"
)

var ops = driver.Get[interceptor.Stack, interceptor.Call, interceptor.Method]()

// Short names for what every test spells.
type (
	ctxT   = context.Context
	callT  = interceptor.Call
	methT  = interceptor.Method
	funcsT = interceptor.Funcs
)

func text(s string) *wrapperspb.StringValue { return wrapperspb.String(s) }

// service has one method of each kind, all from StringValue to StringValue.
var service = sync.OnceValue(func() protoreflect.ServiceDescriptor {
	value := proto.String(".google.protobuf.StringValue")
	method := func(name string, client, server bool) *descriptorpb.MethodDescriptorProto {
		return &descriptorpb.MethodDescriptorProto{
			Name: proto.String(name), InputType: value, OutputType: value,
			ClientStreaming: proto.Bool(client), ServerStreaming: proto.Bool(server),
		}
	}
	file, err := protodesc.NewFile(&descriptorpb.FileDescriptorProto{
		Syntax: proto.String("proto3"), Name: proto.String("engine_test.proto"), Package: proto.String("engine.test"),
		Dependency: []string{"google/protobuf/wrappers.proto"},
		Service: []*descriptorpb.ServiceDescriptorProto{{Name: proto.String("Echo"), Method: []*descriptorpb.MethodDescriptorProto{
			method("Unary", false, false), method("Client", true, false), method("Server", false, true), method("Bidi", true, true),
		}}},
	}, protoregistry.GlobalFiles)
	if err != nil {
		panic(err)
	}
	return file.Services().Get(0)
})

// newRPC makes the method of one kind, as an adapter does at registration.
func newRPC(kind interceptor.Kind) *methT {
	d := service().Methods().Get(int(kind))
	return ops.NewMethod("/engine.test.Echo/"+string(d.Name()), d, uint8(kind))
}

// wire is the adapter's half of a call: what came in, and what a real adapter
// would hand to its transport.
type wire struct {
	kind      driver.Kind
	authority string
	request   http.Header
	invoke    func(context.Context) error
	encode    func(any) error
	refuse    error // what HeaderChanged returns
}

func (w *wire) Kind() driver.Kind                       { return w.kind }
func (w *wire) Protocol() string                        { return "2" }
func (w *wire) Path() string                            { return "/path" }
func (w *wire) Authority() string                       { return w.authority }
func (w *wire) Scheme() string                          { return "http" }
func (w *wire) HTTPMethod() string                      { return "POST" }
func (w *wire) Peer() driver.Peer                       { return driver.Peer{} }
func (w *wire) RequestHeader(key string) []string       { return w.request.Values(key) }
func (w *wire) DeleteRequestHeader(key string)          { w.request.Del(key) }
func (w *wire) HeaderChanged(driver.Header, bool) error { return w.refuse }

func (w *wire) Invoke(ctx context.Context) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = ops.Panicked(r)
		}
	}()
	return w.invoke(ctx)
}

func (w *wire) Encode(msg any) error {
	if w.encode == nil {
		return nil
	}
	return w.encode(msg)
}

// rig drives one call through a stack in the order that driver.Ops asks for:
// unary RPCs, streams and plain routes each as their adapters do.
type rig struct {
	stack   *interceptor.Stack
	method  *methT // nil: no method answers
	kind    driver.Kind
	parent  context.Context
	request []proto.Message // what the client sends; one "in" if nil
	encode  func(any) error
	refuse  error

	unary  func(ctx context.Context, req any) (any, error)
	stream func(s *stream) error
	plain  func(w *plainWriter) error

	call *callT
	wire *wire
}

// outcome is what the client got and what the call says.
type outcome struct {
	err     error
	sent    []any
	status  int
	reached bool
	call    *callT
}

// text is the answer's text, for single answers.
func (o outcome) text() string {
	if len(o.sent) != 1 {
		return fmt.Sprintf("%d messages", len(o.sent))
	}
	switch m := o.sent[0].(type) {
	case *wrapperspb.StringValue:
		return m.GetValue()
	case *driver.HTTPReply:
		return fmt.Sprintf("HTTP %d %s", m.Status, m.Body)
	}
	return fmt.Sprint(o.sent[0])
}

func (r *rig) run() outcome {
	o := &outcome{call: new(callT)}
	r.call = o.call
	if r.parent == nil {
		r.parent = context.Background()
	}
	if r.kind == driver.None {
		r.kind = driver.GRPC
	}
	if r.request == nil {
		r.request = []proto.Message{text("in")}
	}
	r.wire = &wire{kind: r.kind, request: http.Header{}, encode: r.encode, refuse: r.refuse}
	ops.Begin(r.call, r.stack, r.parent, r.wire)
	defer func() { ops.End(r.call, o.status) }()
	r.phases(o)
	if r.kind == driver.HTTP {
		o.status = interceptor.HTTPStatusOf(o.err)
	}
	ops.Commit(r.call)
	return r.ended(o)
}

// ended ends the call before the caller looks at it.
func (r *rig) ended(o *outcome) outcome {
	ops.End(r.call, o.status)
	return *o
}

func (r *rig) phases(o *outcome) {
	c := r.call
	stopped := true
	if ops.Request(c) {
		if r.method == nil {
			_ = ops.Fail(c, interceptor.NewError(codes.Unimplemented, "unknown method"), false)
		} else {
			stopped = !ops.Resolve(c, r.method, "/route")
		}
	} else if r.method != nil && ops.Answered(c) != nil {
		stopped = !ops.Resolve(c, r.method, "/route") // the reply's type is checked
	}
	switch {
	case r.plain != nil:
		r.drivePlain(o, stopped)
	case r.stream != nil:
		r.driveStream(o, stopped)
	default:
		r.driveUnary(o, stopped)
	}
}

func (r *rig) driveUnary(o *outcome, stopped bool) {
	c := r.call
	var resp any
	var err error
	if !stopped {
		req := proto.Clone(r.request[0])
		r.wire.invoke = func(ctx context.Context) (err error) {
			o.reached = true
			if r.unary == nil {
				resp = text("out")
				return nil
			}
			resp, err = r.unary(ctx, req)
			return err
		}
		if err = ops.Receive(c, req, -1); err == nil && ops.Answered(c) == nil {
			err = ops.Handle(c, ops.Inner(c))
		}
	}
	resp, err = ops.Answer(c, resp, err)
	resp, err = ops.Respond(c, resp, err)
	r.deliver(o, resp, err)
}

func (r *rig) deliver(o *outcome, resp any, err error) {
	o.err = err
	if err == nil && resp != nil {
		o.sent = append(o.sent, resp)
		ops.Sent(r.call, 1, -1)
	}
}

// stream is what a streaming handler gets.
type stream struct {
	ctx  context.Context
	call *callT
	in   []proto.Message
	out  *outcome
}

// recv returns the next request message, as RecvMsg would fill it.
func (s *stream) recv() (*wrapperspb.StringValue, error) {
	if len(s.in) == 0 {
		return nil, io.EOF
	}
	m := proto.Clone(s.in[0]).(*wrapperspb.StringValue)
	s.in = s.in[1:]
	if err := ops.Receive(s.call, m, -1); err != nil {
		return m, err
	}
	return m, nil
}

func (s *stream) send(msg any) error {
	m, err := ops.Send(s.call, msg)
	if err != nil {
		return err
	}
	ops.Commit(s.call)
	s.out.sent = append(s.out.sent, m)
	ops.Sent(s.call, 1, -1)
	return nil
}

func (r *rig) driveStream(o *outcome, stopped bool) {
	s := &stream{call: r.call, in: r.request, out: o}
	var err error
	if !stopped {
		r.wire.invoke = func(ctx context.Context) error {
			o.reached = true
			s.ctx = ctx
			return r.stream(s)
		}
		err = ops.Handle(r.call, ops.Inner(r.call))
	}
	o.err = ops.Finish(r.call, err, s.send)
}

// plainWriter is what a plain handler gets: it can write a status or return an
// error.
type plainWriter struct {
	ctx   context.Context
	call  *callT
	out   *outcome
	wrote int
}

func (w *plainWriter) writeHeader(status int) {
	w.wrote = status
	var err error
	if status >= http.StatusBadRequest {
		err = ops.Fail(w.call, &interceptor.StatusError{HTTPStatus: status}, true)
	}
	resp, err := ops.Respond(w.call, nil, err)
	if resp != nil {
		w.out.sent = append(w.out.sent, resp)
	}
	w.out.err = err
	ops.Commit(w.call)
}

func (r *rig) drivePlain(o *outcome, stopped bool) {
	w := &plainWriter{call: r.call, out: o}
	var err error
	if !stopped {
		r.wire.invoke = func(ctx context.Context) error {
			o.reached = true
			w.ctx = ctx
			return r.plain(w)
		}
		err = ops.Handle(r.call, ops.Inner(r.call))
	}
	if w.wrote != 0 && err == nil {
		return
	}
	if w.wrote != 0 {
		_ = ops.Fail(r.call, err, true)
		return
	}
	resp, err := ops.Answer(r.call, nil, err)
	resp, err = ops.Respond(r.call, resp, err)
	r.deliver(o, resp, err)
}

// trace collects what ran, in order, from any goroutine.
type trace struct {
	mu    sync.Mutex
	steps []string
}

func (t *trace) add(step string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.steps = append(t.steps, step)
}

func (t *trace) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return strings.Join(t.steps, " ")
}

func (t *trace) has(step string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Contains(t.steps, step)
}

// hook is the recording hook: it writes down every phase and then does what the
// test put into its functions. Its name is the phase's suffix.
func (t *trace) hook(name string, do funcsT) interceptor.Hook {
	h := funcsT{
		BeforeRequest: func(ctx ctxT, call *callT) (ctxT, error) {
			t.add("BR" + name)
			if do.BeforeRequest != nil {
				return do.BeforeRequest(ctx, call)
			}
			return ctx, nil
		},
		BeforeHandler: func(ctx ctxT, call *callT, m *methT) (ctxT, error) {
			t.add("BH" + name)
			if do.BeforeHandler != nil {
				return do.BeforeHandler(ctx, call, m)
			}
			return ctx, nil
		},
		OnReceive: func(ctx ctxT, call *callT, msg any) error {
			t.add("RX" + name)
			if do.OnReceive != nil {
				return do.OnReceive(ctx, call, msg)
			}
			return nil
		},
		OnSend: func(ctx ctxT, call *callT, msg any) error {
			t.add("TX" + name)
			if do.OnSend != nil {
				return do.OnSend(ctx, call, msg)
			}
			return nil
		},
		OnError: func(ctx ctxT, call *callT, err error) error {
			t.add("OE" + name)
			if do.OnError != nil {
				return do.OnError(ctx, call, err)
			}
			return err
		},
		BeforeResponse: func(ctx ctxT, call *callT) error {
			t.add("RS" + name)
			if do.BeforeResponse != nil {
				return do.BeforeResponse(ctx, call)
			}
			return nil
		},
		AfterResponse: func(ctx ctxT, call *callT) {
			t.add("AR" + name)
			if do.AfterResponse != nil {
				do.AfterResponse(ctx, call)
			}
		},
		WrapHandler: do.WrapHandler,
	}
	return interceptor.FromFuncs("H"+name, h)
}

// reports is a reporter that keeps what it is told.
type reports struct {
	mu   sync.Mutex
	errs []error
}

func (r *reports) tell(_ context.Context, _ *callT, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.errs = append(r.errs, err)
}

func (r *reports) String() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var all []string
	for _, err := range r.errs {
		all = append(all, err.Error())
	}
	return strings.Join(all, "\n")
}

// build makes a stack that reports into the returned log.
func build(t testing.TB, hooks ...interceptor.Hook) (*interceptor.Stack, *reports) {
	t.Helper()
	s, err := interceptor.New(hooks...)
	if err != nil {
		t.Fatalf("New: %v", err)
	}
	log := &reports{}
	return s.ReportTo(log.tell), log
}

// three is the usual stack H1, H2, H3 of recording hooks.
func (t *trace) three(tb testing.TB, h1, h2, h3 funcsT) (*interceptor.Stack, *reports) {
	tb.Helper()
	return build(tb, t.hook("1", h1), t.hook("2", h2), t.hook("3", h3))
}

func wantTrace(t *testing.T, tr *trace, want string) {
	t.Helper()
	if got := tr.String(); got != want {
		t.Errorf("trace\n got %s\nwant %s", got, want)
	}
}

// wantText checks that an error or report says every one of the parts.
func wantText(t *testing.T, got string, parts ...string) {
	t.Helper()
	for _, p := range parts {
		if !strings.Contains(got, p) {
			t.Errorf("text %q does not contain %q", got, p)
		}
	}
}
