package grpcadapter_test

import (
	"context"
	"fmt"
	"testing"

	"google.golang.org/grpc/codes"

	"github.com/crosscut-go/crosscut/interceptor"
	pb "github.com/crosscut-go/crosscut/proto/crosscut/conformance/v1"
)

// TestOrderOfPhases pins the order on success, for every kind of method.
func TestOrderOfPhases(t *testing.T) {
	t.Parallel()
	want := map[string]string{
		unaryName:  "BR123 BH123 RX123 TX321 RS321 AR321",
		serverName: "BR123 BH123 RX123 TX321 RS321 TX321 AR321",
		clientName: "BR123 BH123 RX123 TX321 RS321 AR321",
		bidiName:   "BR123 BH123 RX123 TX321 RS321 AR321",
	}
	for _, kind := range kinds {
		t.Run(kind.name, func(t *testing.T) {
			t.Parallel()
			tr := newTrace()
			client := start(t, threeProbes(t, tr, nil), &service{})
			got := kind.call(within(t), client)
			call := tr.end(t)
			if got.code != codes.OK || len(got.texts) == 0 || got.texts[0] != "a" {
				t.Errorf("client got %+v", got)
			}
			wantTrace(t, tr, want[kind.full])
			if call.Err() != nil || call.Method().Name() != kind.full || call.Method().Descriptor() == nil {
				t.Errorf("AfterResponse saw err %v, method %q, descriptor %v", call.Err(), call.Method().Name(), call.Method().Descriptor())
			}
			if r, s := call.Received().Messages, call.Sent().Messages; r != 1 || s != int64(len(got.texts)) {
				t.Errorf("AfterResponse counted %d received and %d sent, want 1 and %d", r, s, len(got.texts))
			}
		})
	}
}

// TestRejection rejects in each phase before the handler: nothing further in
// runs, and headers and trailers set by the hook reach the client.
func TestRejection(t *testing.T) {
	t.Parallel()
	reject := func(c *interceptor.Call) error {
		return fmt.Errorf("set: %w", firstError(
			c.ResponseHeader().Set("x-head", "h"), c.ResponseTrailer().Set("x-trail", "t"),
			interceptor.NewError(codes.PermissionDenied, "no", interceptor.WithHeader("x-err", "e"))))
	}
	phases := []struct {
		name, trace string
		edit        func(p [3]*probe)
	}{
		{"BeforeRequest", "BR12 OE1 RS1 AR1", func(p [3]*probe) {
			p[1].request = func(_ context.Context, c *interceptor.Call) (context.Context, error) { return nil, reject(c) }
		}},
		{"BeforeHandler", "BR123 BH12 OE321 RS321 AR321", func(p [3]*probe) {
			p[1].handler = func(_ context.Context, c *interceptor.Call, _ *interceptor.Method) (context.Context, error) {
				return nil, reject(c)
			}
		}},
		{"OnReceive", "BR123 BH123 RX12 OE321 RS321 AR321", func(p [3]*probe) {
			p[1].receive = func(_ context.Context, c *interceptor.Call, _ any) error { return reject(c) }
		}},
	}
	for _, phase := range phases {
		for _, kind := range kinds {
			t.Run(phase.name+"/"+kind.name, func(t *testing.T) {
				t.Parallel()
				tr := newTrace()
				ran := false
				client := start(t, threeProbes(t, tr, phase.edit), reached(&ran))
				got := kind.call(within(t), client)
				call := tr.end(t)
				if got.code != codes.PermissionDenied || got.message != "no" || len(got.texts) != 0 {
					t.Errorf("client got %+v, want PermissionDenied: no", got)
				}
				wantValues(t, "header", got.header, "x-head", "h")
				wantValues(t, "header", got.header, "x-err", "e")
				wantValues(t, "trailer", got.trailer, "x-trail", "t")
				wantTrace(t, tr, phase.trace)
				if call.Code() != codes.PermissionDenied {
					t.Errorf("AfterResponse saw %v", call.Code())
				}
				if ran {
					t.Error("the handler ran with a message")
				}
			})
		}
	}
}

// reached is a service that notes whether any handler got a request message.
func reached(ran *bool) *service {
	return &service{
		unary: func(context.Context, *pb.UnaryRequest) (*pb.UnaryResponse, error) {
			*ran = true
			return nil, nil
		},
		serverStream: func(*pb.ServerStreamRequest, serverStreamServer) error {
			*ran = true
			return nil
		},
		clientStream: func(ss clientStreamServer) error {
			_, err := ss.Recv()
			*ran = *ran || err == nil
			return err
		},
		bidiStream: func(ss bidiStreamServer) error {
			_, err := ss.Recv()
			*ran = *ran || err == nil
			return err
		},
	}
}

func firstError(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// TestHeadersOfEveryHook sets a header in BeforeResponse of every hook.
func TestHeadersOfEveryHook(t *testing.T) {
	t.Parallel()
	for _, kind := range kinds {
		t.Run(kind.name, func(t *testing.T) {
			t.Parallel()
			tr := newTrace()
			stack := threeProbes(t, tr, func(p [3]*probe) {
				for i := range p {
					p[i].response = func(_ context.Context, c *interceptor.Call) error {
						return c.ResponseHeader().Add("x-hook", p[i].n)
					}
				}
			})
			got := kind.call(within(t), start(t, stack, &service{}))
			wantValues(t, "header", got.header, "x-hook", "3", "2", "1")
			tr.end(t)
		})
	}
}
