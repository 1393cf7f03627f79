package decision_test

import (
	"context"
	"crypto/tls"
	"net/http"

	"github.com/crosscut-go/crosscut/interceptor"
	"github.com/crosscut-go/crosscut/internal/decision"
	"github.com/crosscut-go/crosscut/internal/driver"
	pb "github.com/crosscut-go/crosscut/proto/crosscut/conformance/v1"
)

// answer is what became of a call.
type answer struct {
	code    decision.Code
	reached bool // the handler has got all messages
}

// drive takes a call through all phases of the stack as an adapter does, without one. It is how most cases run.
func (r *rig) drive(s *served, v via, kind driver.Kind, call *decision.Call) answer {
	w := &wire{kind: kind, method: s.rpc, header: r.headers(&call.Sent), tls: r.connection(&call.Sent)}
	if v == viaRoute {
		w.method = s.route
	}
	r.plant.mishear(w.header, w.tls)
	var c interceptor.Call
	ops.Begin(&c, r.stack, context.Background(), w)
	defer ops.End(&c, 0)
	going := ops.Request(&c) && ops.Resolve(&c, w.method, "")
	var err error
	if v == viaRPC && call.Kind != "unary" {
		err = w.stream(&c, call.Messages, going)
	} else {
		err = w.unary(&c, call.Messages, going, v == viaRoute)
	}
	ops.Commit(&c)
	ops.End(&c, 0)
	return answer{decision.Code(interceptor.StatusOf(err).Code()), w.reached}
}

// numbered makes the message of a call with a number.
func numbered(m decision.Message, id string) *pb.UnaryRequest {
	return &pb.UnaryRequest{Id: id, Text: m.Text, UpperCase: m.UpperCase}
}

type response = pb.UnaryResponse

func (w *wire) unary(c *interceptor.Call, messages []decision.Message, going, plain bool) error {
	var reply any
	w.invoke = func() error {
		w.reached = true
		if !plain {
			reply = &response{}
		}
		return nil
	}
	var err error
	if going && !plain {
		err = ops.Receive(c, numbered(messages[0], ""), -1)
	}
	if going && err == nil {
		err = ops.Handle(c, ops.Inner(c))
	}
	reply, err = ops.Answer(c, reply, err)
	_, err = ops.Respond(c, reply, err)
	return err
}

func (w *wire) stream(c *interceptor.Call, messages []decision.Message, going bool) error {
	send := func(msg any) error {
		_, err := ops.Send(c, msg)
		return err
	}
	w.invoke = func() error {
		for _, m := range messages {
			if err := ops.Receive(c, numbered(m, ""), -1); err != nil {
				return err
			}
		}
		w.reached = true
		return send(&response{})
	}
	var err error
	if going {
		err = ops.Handle(c, ops.Inner(c))
	}
	return ops.Finish(c, err, send)
}

// wire is the adapter's half of a call that no transport carries.
type wire struct {
	kind    driver.Kind
	method  *interceptor.Method
	header  http.Header
	tls     *tls.ConnectionState
	invoke  func() error
	reached bool
}

var _ driver.Transport = (*wire)(nil)

func (w *wire) Kind() driver.Kind                       { return w.kind }
func (w *wire) Protocol() string                        { return "2" }
func (w *wire) Path() string                            { return w.method.Name() }
func (w *wire) Authority() string                       { return "decision.test" }
func (w *wire) Scheme() string                          { return "https" }
func (w *wire) HTTPMethod() string                      { return http.MethodPost }
func (w *wire) Peer() driver.Peer                       { return driver.Peer{TLS: w.tls} }
func (w *wire) RequestHeader(key string) []string       { return w.header.Values(key) }
func (w *wire) DeleteRequestHeader(key string)          { w.header.Del(key) }
func (w *wire) HeaderChanged(driver.Header, bool) error { return nil }
func (w *wire) Invoke(context.Context) error            { return w.invoke() }
func (w *wire) Encode(any) error                        { return nil }
