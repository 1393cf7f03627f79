package interceptortest

import (
	"context"
	"net/http"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/dynamicpb"

	"github.com/crosscut-go/crosscut/interceptor"
	"github.com/crosscut-go/crosscut/internal/driver"
	pb "github.com/crosscut-go/crosscut/proto/crosscut/conformance/v1"
)

// Phases is what became of a call that [RunPhases] ran.
type Phases struct {
	// Err is the failure of the call, or nil; interceptor.StatusOf tells what a
	// client would get of it.
	Err error
	// Response is the message a client would get: the handler's or a hook's. It
	// is nil on failures and plain routes.
	Response any
	// HTTPStatus and Body are what a client would get over HTTP: those of a reply
	// that a hook gave with Call.ReplyHTTP, or the status that Err stands for. The
	// status is 0 on gRPC.
	HTTPStatus int
	Body       []byte
	// Header and Trailer are what the hooks have set.
	Header, Trailer http.Header
	// Reached tells whether the handler ran.
	Reached bool
	// Reports are what the stack reported to the operator, such as panics.
	Reports []error
}

// RunPhases takes a call made by [NewCall] through all phases of its hooks, from
// BeforeRequest to AfterResponse, in the order of a real server but without one.
// The handler returns the response message, nil on plain routes; a nil handler
// answers with an empty message. On a streaming method each side has one message.
// A call without a method is one to a unary RPC of the kit's own service.
//
// It panics on a call that NewCall did not make, and when repeated.
func RunPhases(call *interceptor.Call, handler func(ctx context.Context) (response any, err error)) Phases {
	w, ok := ops.Transport(call).(*wire)
	if !ok || ops.Ended(call) {
		panic("interceptortest: RunPhases needs a call that NewCall made and that has not ended; make another one")
	}
	if w.method == nil {
		w.method = NewMethod(pb.ConformanceService_Unary_FullMethodName)
	}
	var p Phases
	defer ops.End(call, 0) // on a panic of the handler's goroutine, too
	going := ops.Request(call)
	if ops.Failed(call) == nil { // also for a reply, which must suit the method
		going = ops.Resolve(call, w.method, w.route) && going
	}
	if k := w.method.Kind(); k == interceptor.Unary {
		p.Response, p.Err = w.runUnary(call, handler, going)
	} else {
		p.Response, p.Err = w.runStream(call, handler, going)
	}
	if reply, isHTTP := p.Response.(*driver.HTTPReply); isHTTP {
		p.Response, p.HTTPStatus, p.Body = nil, reply.Status, reply.Body
	} else if w.kind == driver.HTTP {
		p.HTTPStatus = interceptor.HTTPStatusOf(p.Err)
	}
	ops.Commit(call)
	ops.End(call, p.HTTPStatus)
	p.Header = collect(ops.Headers(call), call.ResponseHeader())
	p.Trailer = collect(ops.Trailers(call), call.ResponseTrailer())
	w.mu.Lock()
	defer w.mu.Unlock()
	p.Reached, p.Reports = w.reached, append(p.Reports, w.reports...)
	return p
}

// runUnary runs a call with one message each way, or, on a plain route, none.
func (w *wire) runUnary(call *interceptor.Call, handler func(context.Context) (any, error), going bool) (any, error) {
	var resp any
	var err error
	if going {
		w.invoke = func(ctx context.Context) (err error) {
			resp, err = w.handle(ctx, handler)
			return err
		}
		if msg := w.request(); msg != nil {
			err = ops.Receive(call, msg, -1)
		}
		if err == nil && ops.Answered(call) == nil {
			err = ops.Handle(call, ops.Inner(call))
		}
	}
	resp, err = ops.Answer(call, resp, err)
	resp, err = ops.Respond(call, resp, err)
	if err != nil {
		return nil, err
	}
	w.count(call, resp)
	return resp, nil
}

// runStream runs a call whose messages flow inside the handler.
func (w *wire) runStream(call *interceptor.Call, handler func(context.Context) (any, error), going bool) (any, error) {
	var sent any
	send := func(msg any) error {
		m, err := ops.Send(call, msg)
		if err == nil {
			sent = m
			w.count(call, m)
		}
		return err
	}
	var err error
	if going {
		w.invoke = func(ctx context.Context) error {
			if msg := w.request(); msg != nil {
				if err := ops.Receive(call, msg, -1); err != nil {
					return err
				}
			}
			resp, err := w.handle(ctx, handler)
			if err == nil && ops.Answered(call) == nil {
				err = send(resp)
			}
			return err
		}
		err = ops.Handle(call, ops.Inner(call))
	}
	if err = ops.Finish(call, err, send); err != nil {
		return nil, err
	}
	return sent, nil
}

func (w *wire) handle(ctx context.Context, handler func(context.Context) (any, error)) (any, error) {
	w.reached = true
	if handler != nil {
		return handler(ctx)
	}
	if desc := w.method.Descriptor(); desc != nil {
		return newMessage(desc.Output()), nil
	}
	return nil, nil
}

// request is the message of the call; nil where there is none.
func (w *wire) request() any {
	desc := w.method.Descriptor()
	switch {
	case w.message != nil:
		return w.message
	case desc != nil:
		return newMessage(desc.Input())
	default:
		return nil
	}
}

// newMessage makes a message of the generated type, if that is linked in.
func newMessage(desc protoreflect.MessageDescriptor) proto.Message {
	if t, err := protoregistry.GlobalTypes.FindMessageByName(desc.FullName()); err == nil {
		return t.New().Interface()
	}
	return dynamicpb.NewMessage(desc)
}

// count counts a message that a client would get.
func (w *wire) count(call *interceptor.Call, msg any) {
	if _, ok := msg.(proto.Message); ok {
		ops.Sent(call, 1, -1)
	}
}

func collect(operations []driver.Header, values interceptor.ResponseHeader) http.Header {
	h := http.Header{}
	for _, op := range operations {
		if v := values.Values(op.Key); len(v) > 0 {
			h[http.CanonicalHeaderKey(op.Key)] = v
		}
	}
	return h
}
