package grpcadapter_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"

	"github.com/crosscut-go/crosscut/interceptor"
	pb "github.com/crosscut-go/crosscut/proto/crosscut/conformance/v1"
)

// replyFor is a reply of the method's type; "?" stands for a method that is not
// known yet.
func replyFor(full string) proto.Message {
	switch full {
	case unaryName:
		return &pb.UnaryResponse{Text: "reply"}
	case serverName:
		return &pb.ServerStreamResponse{Text: "reply"}
	case clientName:
		return &pb.ClientStreamResponse{Text: "reply"}
	default:
		return &pb.BidiStreamResponse{Text: "reply"}
	}
}

// TestReply answers in every phase that may, on every kind of method: the client
// gets the reply alone, and the handler never a message.
func TestReply(t *testing.T) {
	t.Parallel()
	phases := []struct {
		name  string
		kinds []string // all if empty
		edit  func(p *probe, full string)
		trace map[string]string // by kind; "" is for the others
	}{
		{"BeforeRequest", nil, func(p *probe, full string) {
			p.request = func(ctx context.Context, c *interceptor.Call) (context.Context, error) {
				return ctx, c.Reply(replyFor(full))
			}
		}, map[string]string{"": "BR12 TX21 RS21 AR21"}},
		{"BeforeHandler", nil, func(p *probe, full string) {
			p.handler = func(ctx context.Context, c *interceptor.Call, _ *interceptor.Method) (context.Context, error) {
				return ctx, c.Reply(replyFor(full))
			}
		}, map[string]string{"": "BR123 BH12 TX321 RS321 AR321"}},
		{"OnReceive", []string{unaryName, serverName}, func(p *probe, full string) {
			p.receive = func(_ context.Context, c *interceptor.Call, _ any) error { return c.Reply(replyFor(full)) }
		}, map[string]string{"": "BR123 BH123 RX12 TX321 RS321 AR321"}},
		{"OnError", nil, func(p *probe, full string) {
			p.handler = func(context.Context, *interceptor.Call, *interceptor.Method) (context.Context, error) {
				return nil, interceptor.NewError(codes.Unavailable, "no")
			}
			p.onError = func(_ context.Context, c *interceptor.Call, _ error) error { return c.Reply(replyFor(full)) }
		}, map[string]string{"": "BR123 BH12 OE32 TX321 RS321 AR321"}},
	}
	for _, phase := range phases {
		for _, kind := range kinds {
			if len(phase.kinds) > 0 && !slices.Contains(phase.kinds, kind.full) {
				continue
			}
			t.Run(phase.name+"/"+kind.name, func(t *testing.T) {
				t.Parallel()
				tr := newTrace()
				ran := false
				stack := threeProbes(t, tr, func(p [3]*probe) { phase.edit(p[1], kind.full) })
				got := kind.call(within(t), start(t, stack, reached(&ran)))
				call := tr.end(t)
				if got.code != codes.OK || !slices.Equal(got.texts, []string{"reply"}) || ran {
					t.Errorf("client got %+v, handler reached: %v", got, ran)
				}
				if call.Err() != nil || call.Sent().Messages != 1 {
					t.Errorf("AfterResponse saw %v, %+v sent", call.Err(), call.Sent())
				}
				wantTrace(t, tr, phase.trace[""])
			})
		}
	}
}

// TestReplyInBeforeResponse replaces the handler's answer; of a stream it takes
// the place of the first message and ends it.
func TestReplyInBeforeResponse(t *testing.T) {
	t.Parallel()
	for _, kind := range kinds {
		t.Run(kind.name, func(t *testing.T) {
			t.Parallel()
			tr := newTrace()
			stack := threeProbes(t, tr, func(p [3]*probe) {
				p[1].response = func(_ context.Context, c *interceptor.Call) error { return c.Reply(replyFor(kind.full)) }
			})
			got := kind.call(within(t), start(t, stack, &service{}))
			call := tr.end(t)
			if got.code != codes.OK || !slices.Equal(got.texts, []string{"reply"}) || call.Err() != nil {
				t.Errorf("client got %+v, AfterResponse saw %v", got, call.Err())
			}
		})
	}
}

// TestReplyInWrapHandler answers instead of calling next.
func TestReplyInWrapHandler(t *testing.T) {
	t.Parallel()
	for _, kind := range kinds {
		t.Run(kind.name, func(t *testing.T) {
			t.Parallel()
			ran := false
			stack := quiet(t, interceptor.MustNew(interceptor.FromFuncs("wrap", interceptor.Funcs{
				WrapHandler: func(interceptor.Handler) interceptor.Handler {
					return func(_ context.Context, c *interceptor.Call) error { return c.Reply(replyFor(kind.full)) }
				},
			})))
			got := kind.call(within(t), start(t, stack, reached(&ran)))
			if got.code != codes.OK || !slices.Equal(got.texts, []string{"reply"}) || ran {
				t.Errorf("client got %+v, handler reached: %v", got, ran)
			}
		})
	}
}

// TestReplyMisuse gives replies that cannot be sent: INTERNAL, never in silence.
func TestReplyMisuse(t *testing.T) {
	t.Parallel()
	cases := map[string]func(c *interceptor.Call) error{
		"wrong type": func(c *interceptor.Call) error { return c.Reply(&pb.Nested{}) },
		"dropped":    func(c *interceptor.Call) error { _ = c.Reply(&pb.Nested{}); return nil },
		"HTTP":       func(c *interceptor.Call) error { return c.ReplyHTTP(200, "text/plain", []byte("x")) },
	}
	for name, reply := range cases {
		for _, kind := range kinds {
			t.Run(name+"/"+kind.name, func(t *testing.T) {
				t.Parallel()
				tr := newTrace()
				ran := false
				stack := threeProbes(t, tr, func(p [3]*probe) {
					p[1].request = func(ctx context.Context, c *interceptor.Call) (context.Context, error) { return ctx, reply(c) }
				})
				got := kind.call(within(t), start(t, stack, reached(&ran)))
				if call := tr.end(t); got.code != codes.Internal || call.Code() != codes.Internal || ran {
					t.Errorf("client got %+v, AfterResponse saw %v, handler reached: %v", got, call.Err(), ran)
				}
			})
		}
	}
}

// TestWrapHandler checks what a WrapHandler hook sees, and that it may run a
// unary handler again after an error.
func TestWrapHandler(t *testing.T) {
	t.Parallel()
	runs := 0
	var seen string
	stack := quiet(t, interceptor.MustNew(interceptor.FromFuncs("retry", interceptor.Funcs{
		WrapHandler: func(next interceptor.Handler) interceptor.Handler {
			return func(ctx context.Context, c *interceptor.Call) error {
				err := next(ctx, c)
				if err != nil {
					err = next(ctx, c)
				}
				if m, ok := c.Response().(*pb.UnaryResponse); ok {
					seen = m.GetText()
				}
				return err
			}
		},
	})))
	client := start(t, stack, &service{unary: func(context.Context, *pb.UnaryRequest) (*pb.UnaryResponse, error) {
		if runs++; runs == 1 {
			panic("the first run fails")
		}
		return &pb.UnaryResponse{Text: "second"}, nil
	}})
	out, err := client.Unary(within(t), &pb.UnaryRequest{})
	if err != nil || out.GetText() != "second" || runs != 2 || seen != "second" {
		t.Errorf("client got %v, %v after %d runs; the hook saw %q", out, err, runs, seen)
	}
}

// TestContextOfHandler checks that values of hooks reach the handler, the
// user's streams included.
func TestContextOfHandler(t *testing.T) {
	t.Parallel()
	type key struct{}
	for _, kind := range kinds {
		t.Run(kind.name, func(t *testing.T) {
			t.Parallel()
			tr := newTrace()
			stack := threeProbes(t, tr, func(p [3]*probe) {
				p[0].handler = func(ctx context.Context, _ *interceptor.Call, _ *interceptor.Method) (context.Context, error) {
					return context.WithValue(ctx, key{}, "value"), nil
				}
			})
			var seen []any
			client := start(t, stack, everyKind(func(ctx context.Context) error {
				call, _ := interceptor.CallFrom(ctx)
				seen = append(seen, ctx.Value(key{}), call.Method().Name())
				return nil
			}))
			kind.call(within(t), client)
			tr.end(t)
			if !slices.Equal(seen, []any{"value", kind.full}) {
				t.Errorf("the handler saw %v", seen)
			}
		})
	}
}

// TestRefusedMessage checks that a refused message ends the call with the hook's
// error, though the handler swallows it, in both directions.
func TestRefusedMessage(t *testing.T) {
	t.Parallel()
	refuse := func(_ context.Context, _ *interceptor.Call, msg any) error {
		if m, ok := msg.(interface{ GetText() string }); ok && m.GetText() == "bad" {
			return interceptor.NewError(codes.InvalidArgument, "refused")
		}
		return nil
	}
	cases := map[string]func(p *probe){
		"OnReceive": func(p *probe) { p.receive = refuse },
		"OnSend":    func(p *probe) { p.send = refuse },
	}
	for name, edit := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tr := newTrace()
			var texts []string
			var errs []error
			impl := &service{bidiStream: func(ss bidiStreamServer) error {
				for range 4 {
					in, err := ss.Recv()
					errs = append(errs, err)
					if err == nil {
						texts = append(texts, in.GetText())
						errs = append(errs, ss.Send(&pb.BidiStreamResponse{Text: in.GetText()}))
					}
				}
				return nil // swallowed
			}}
			stack := threeProbes(t, tr, func(p [3]*probe) { edit(p[1]) })
			ss, err := start(t, stack, impl).BidiStream(within(t))
			if err != nil {
				t.Fatal(err)
			}
			for _, text := range []string{"good", "bad", "late"} {
				if err := ss.Send(&pb.BidiStreamRequest{Text: text}); err != nil {
					t.Log("send:", err) // the call may have ended
				}
			}
			got := result{}
			for {
				m, err := ss.Recv()
				if err != nil {
					got = got.closed(ss, err)
					break
				}
				got.texts = append(got.texts, m.GetText())
			}
			call := tr.end(t)
			if got.code != codes.InvalidArgument || got.message != "refused" || call.Code() != codes.InvalidArgument {
				t.Errorf("client got %+v, AfterResponse saw %v", got, call.Err())
			}
			if !slices.Equal(got.texts, []string{"good"}) || slices.Contains(texts, "late") {
				t.Errorf("client got %q, the handler %q (%v)", got.texts, texts, errs)
			}
			if name == "OnReceive" && slices.Contains(texts, "bad") {
				t.Error("the handler got the refused message")
			}
		})
	}
}

// TestAwaitMessage holds a greeting back until a hook has agreed to the first
// request message.
func TestAwaitMessage(t *testing.T) {
	t.Parallel()
	greet := func(ss bidiStreamServer) error {
		if ss.Send(&pb.BidiStreamResponse{Text: "hello"}) != nil {
			return nil //nolint:nilerr // swallowed: the call must fail all the same
		}
		in, err := ss.Recv()
		if err != nil {
			return err
		}
		return ss.Send(&pb.BidiStreamResponse{Text: in.GetText()})
	}
	cases := []struct {
		name   string
		handle func(bidiStreamServer) error
		sends  []string
		code   codes.Code
		texts  []string
		trace  string
	}{
		{"agreed", greet, []string{"a"}, codes.OK, []string{"hello", "a"}, "BR123 BH123 RX123 TX321 RS321 TX321 AR321"},
		{"refused", greet, []string{"bad"}, codes.InvalidArgument, nil, "BR123 BH123 RX12 OE321 RS321 AR321"},
		{"no message", greet, nil, codes.InvalidArgument, nil, "BR123 BH123 OE321 RS321 AR321"},
		{"handler returns at once", func(bidiStreamServer) error { return nil }, []string{"a"}, codes.InvalidArgument, nil, "BR123 BH123 OE321 RS321 AR321"},
		{"headers first", func(ss bidiStreamServer) error { return ss.SendHeader(nil) }, []string{"bad"}, codes.InvalidArgument, nil, "BR123 BH123 RX12 OE321 RS321 AR321"},
		{"two goroutines", func(ss bidiStreamServer) error {
			received := make(chan error, 1)
			go func() {
				_, err := ss.Recv()
				received <- err
			}()
			if err := ss.Send(&pb.BidiStreamResponse{Text: "hello"}); err != nil {
				return err
			}
			return <-received
		}, []string{"a"}, codes.OK, []string{"hello"}, "BR123 BH123 RX123 TX321 RS321 AR321"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			tr := newTrace()
			stack := threeProbes(t, tr, func(p [3]*probe) {
				p[1].handler = func(ctx context.Context, c *interceptor.Call, _ *interceptor.Method) (context.Context, error) {
					c.AwaitMessage()
					return ctx, nil
				}
				p[1].receive = func(_ context.Context, _ *interceptor.Call, msg any) error {
					if msg.(*pb.BidiStreamRequest).GetText() == "bad" {
						return interceptor.NewError(codes.InvalidArgument, "refused")
					}
					return nil
				}
			})
			ss, err := start(t, stack, &service{bidiStream: c.handle}).BidiStream(within(t))
			if err != nil {
				t.Fatal(err)
			}
			for _, text := range c.sends {
				_ = ss.Send(&pb.BidiStreamRequest{Text: text}) // its error is in Recv
			}
			_ = ss.CloseSend()
			got := result{}
			for {
				m, err := ss.Recv()
				if err != nil {
					got = got.closed(ss, err)
					break
				}
				got.texts = append(got.texts, m.GetText())
			}
			call := tr.end(t)
			if got.code != c.code || call.Code() != c.code || !slices.Equal(got.texts, c.texts) {
				t.Errorf("client got %+v, AfterResponse saw %v", got, call.Err())
			}
			if got := tr.String(); got != c.trace && !strings.HasPrefix(c.name, "two") {
				t.Errorf("phases:\n got %s\nwant %s", got, c.trace)
			}
		})
	}
}
