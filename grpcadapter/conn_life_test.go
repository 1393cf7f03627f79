package grpcadapter_test

import (
	"context"
	"errors"
	"io"
	"runtime"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/crosscut-go/crosscut/grpcadapter"
	"github.com/crosscut-go/crosscut/interceptor"
	pb "github.com/crosscut-go/crosscut/proto/crosscut/conformance/v1"
)

// waiting makes every handler wait for the end of its context, after telling
// that it runs, and then return what it likes.
func waiting(s *service, running chan<- struct{}, result error) {
	everyMethod(s, func(ctx context.Context, _ func(string) error) error {
		running <- struct{}{}
		<-ctx.Done()
		return result
	})
}

// TestConnEnd compares calls whose caller gives up or whose time is over while
// the handler runs, whatever the handler makes of it.
func TestConnEnd(t *testing.T) {
	t.Parallel()
	for name, result := range map[string]error{
		"handler returns nil":            nil,
		"handler returns another status": status.Error(codes.NotFound, "gone"),
	} {
		compare(t, forKinds("cancel/"+name, func(k kindOfCall) scenario {
			running := make(chan struct{}, 1)
			return scenario{
				serve: func(_ *notes, s *service) { waiting(s, running, result) },
				call: func(ctx context.Context, n *notes, conn grpc.ClientConnInterface) {
					// The caller's cause is its own affair: it crosses no wire.
					ctx, cancel := context.WithCancelCause(ctx)
					go func() {
						<-running
						cancel(status.Error(codes.AlreadyExists, "the caller's own"))
					}()
					k.whole(ctx, n, conn, "a")
				},
				calls: 1,
			}
		}))
		compare(t, forKinds("deadline/"+name, func(k kindOfCall) scenario {
			return scenario{
				serve: func(_ *notes, s *service) { waiting(s, make(chan struct{}, 1), result) },
				call: func(ctx context.Context, n *notes, conn grpc.ClientConnInterface) {
					ctx, cancel := context.WithTimeout(ctx, 200*time.Millisecond)
					defer cancel()
					k.whole(ctx, n, conn, "a")
				},
				calls: 1,
			}
		}))
	}
	compare(t, forKinds("over before it begins", func(k kindOfCall) scenario {
		return scenario{call: func(ctx context.Context, n *notes, conn grpc.ClientConnInterface) {
			expired, cancel := context.WithDeadline(ctx, time.Unix(1, 0))
			defer cancel()
			n.client("%v", status.Code(beginAndEnd(expired, k, conn)))
			cancelled, cancel := context.WithCancel(ctx)
			cancel()
			n.client("%v", status.Code(beginAndEnd(cancelled, k, conn)))
		}}
	}))
}

// beginAndEnd makes one call and returns its error; over the wire streams may
// report it late.
func beginAndEnd(ctx context.Context, k kindOfCall, conn grpc.ClientConnInterface) error {
	stream, err := conn.NewStream(ctx, &k.desc, k.full)
	if err != nil {
		return err
	}
	return stream.RecvMsg(k.reply())
}

// TestConnCallerIsReleased checks that the caller goes on when its context ends
// though the handler does not heed it, and that the outcome is the same for the
// hooks.
func TestConnCallerIsReleased(t *testing.T) {
	t.Parallel()
	for _, k := range kindsOfCall {
		t.Run(k.name, func(t *testing.T) {
			t.Parallel()
			running, release := make(chan struct{}), make(chan struct{})
			outcome := make(chan codes.Code, 1)
			impl := &service{}
			everyMethod(impl, func(_ context.Context, send func(string) error) error {
				close(running)
				<-release
				return send("late")
			})
			_, srv := inProcess(t, interceptor.MustNew(interceptor.FromFuncs("outcome", interceptor.Funcs{
				AfterResponse: func(_ context.Context, c *interceptor.Call) { outcome <- c.Code() },
			})), impl)
			ctx, cancel := context.WithCancel(within(t))
			go func() {
				<-running
				cancel()
			}()
			n := newNotes()
			k.whole(ctx, n, srv.Conn(), "a") // would hang if it waited for the handler
			if got := n.String(); !strings.Contains(got, `Canceled "context canceled"`) {
				t.Errorf("the caller got\n%s", got)
			}
			close(release)
			if code := <-outcome; code != codes.Canceled {
				t.Errorf("AfterResponse saw %v, want what the caller got", code)
			}
		})
	}
}

// TestConnDeadlineReachesHandler checks that the handler knows the caller's
// deadline.
func TestConnDeadlineReachesHandler(t *testing.T) {
	t.Parallel()
	want := time.Now().Add(time.Hour)
	client, _ := inProcess(t, interceptor.MustNew(), &service{unary: func(ctx context.Context, _ *pb.UnaryRequest) (*pb.UnaryResponse, error) {
		if got, ok := ctx.Deadline(); !ok || !got.Equal(want) {
			t.Errorf("the deadline is %v %v, want %v", got, ok, want)
		}
		return &pb.UnaryResponse{}, nil
	}})
	ctx, cancel := context.WithDeadline(t.Context(), want)
	defer cancel()
	if _, err := client.Unary(ctx, &pb.UnaryRequest{}); err != nil {
		t.Error(err)
	}
}

// TestConnContextEndsWithHandler checks that what a handler left running learns
// that the call is over.
func TestConnContextEndsWithHandler(t *testing.T) {
	t.Parallel()
	for _, k := range kindsOfCall {
		t.Run(k.name, func(t *testing.T) {
			t.Parallel()
			var handlers context.Context
			impl := &service{}
			everyMethod(impl, func(ctx context.Context, send func(string) error) error {
				handlers = ctx
				return send("a")
			})
			_, srv := inProcess(t, interceptor.MustNew(), impl)
			k.whole(within(t), newNotes(), srv.Conn(), "a")
			select {
			case <-handlers.Done():
			case <-within(t).Done():
				t.Error("the handler's context outlives its call")
			}
		})
	}
}

// TestConnStop checks what Stop and GracefulStop do to calls in process.
func TestConnStop(t *testing.T) {
	t.Parallel()
	for _, k := range kindsOfCall {
		t.Run("Stop/"+k.name, func(t *testing.T) {
			t.Parallel()
			running, release := make(chan struct{}, 1), make(chan struct{})
			impl := &service{}
			everyMethod(impl, func(context.Context, func(string) error) error {
				running <- struct{}{}
				<-release // the handler does not heed its context
				return nil
			})
			_, srv := inProcess(t, interceptor.MustNew(), impl)
			t.Cleanup(func() { close(release) }) // before the server's GracefulStop
			go func() {
				<-running
				srv.Stop()
			}()
			err := beginAndSend(within(t), k, srv.Conn())
			if status.Code(err) != codes.Unavailable {
				t.Errorf("Stop ends a call with %v, want UNAVAILABLE", err)
			}
			if err := beginAndEnd(within(t), k, srv.Conn()); status.Code(err) != codes.Unavailable {
				t.Errorf("a stopped server answers %v, want UNAVAILABLE", err)
			}
		})
		t.Run("GracefulStop/"+k.name, func(t *testing.T) {
			t.Parallel()
			running, release := make(chan struct{}, 1), make(chan struct{})
			impl := &service{}
			everyMethod(impl, func(ctx context.Context, send func(string) error) error {
				running <- struct{}{}
				<-release
				if ctx.Err() != nil {
					t.Error("GracefulStop cancelled a call")
				}
				return send("a")
			})
			_, srv := inProcess(t, interceptor.MustNew(), impl)
			stopped, ended := make(chan struct{}), make(chan error, 1)
			go func() { ended <- beginAndSend(within(t), k, srv.Conn()) }()
			<-running
			go func() {
				srv.GracefulStop()
				close(stopped)
			}()
			refused(t, srv)
			select {
			case <-stopped:
				t.Error("GracefulStop returned while a handler was running")
			default:
			}
			close(release)
			if err := <-ended; err != nil {
				t.Errorf("the call ended with %v", err)
			}
			<-stopped
		})
	}
}

// beginAndSend makes one whole call.
func beginAndSend(ctx context.Context, k kindOfCall, conn grpc.ClientConnInterface) error {
	if k.name == "unary" {
		return conn.Invoke(ctx, k.full, k.request("a"), k.reply())
	}
	stream, err := conn.NewStream(ctx, &k.desc, k.full)
	if err != nil {
		return err
	}
	if err := stream.SendMsg(k.request("a")); err != nil {
		return err
	}
	if err := stream.CloseSend(); err != nil {
		return err
	}
	return stream.RecvMsg(k.reply())
}

// refused returns when the server lets no more calls in.
func refused(t *testing.T, srv *grpcadapter.Server) {
	t.Helper()
	ctx := within(t)
	for ctx.Err() == nil {
		// Nobody registered this one, so no handler can hold it up.
		if err := srv.Conn().Invoke(ctx, "/no.Service/Method", &pb.UnaryRequest{}, &pb.UnaryResponse{}); status.Code(err) == codes.Unavailable {
			return
		}
		runtime.Gosched()
	}
	t.Fatal("the server still answers")
}

// TestConnGoexit checks that a handler that ends its goroutine neither leaves
// its caller waiting nor takes the caller's goroutine with it.
func TestConnGoexit(t *testing.T) {
	t.Parallel()
	for _, k := range kindsOfCall {
		t.Run(k.name, func(t *testing.T) {
			t.Parallel()
			impl := &service{}
			everyMethod(impl, func(context.Context, func(string) error) error {
				runtime.Goexit()
				return nil
			})
			_, srv := inProcess(t, interceptor.MustNew(), impl)
			if err := beginAndSend(t.Context(), k, srv.Conn()); status.Code(err) != codes.Internal {
				t.Errorf("the caller got %v, want INTERNAL", err)
			}
		})
	}
}

// TestConnLeavesNothing checks that no goroutine outlives its call, however it
// ends.
func TestConnLeavesNothing(t *testing.T) { // not parallel: it counts goroutines
	impl := &service{}
	_, srv := inProcess(t, interceptor.MustNew(), impl)
	conn := srv.Conn()
	everyMethod(impl, func(ctx context.Context, send func(string) error) error {
		err := send("a")
		<-ctx.Done() // only the caller can end it
		return err
	})
	for _, k := range kindsOfCall {
		for name, leave := range map[string]func(ctx context.Context, cancel func()){
			"at once": func(ctx context.Context, cancel func()) {
				_, _ = conn.NewStream(ctx, &k.desc, k.full)
				cancel()
			},
			"after sending": func(ctx context.Context, cancel func()) {
				stream, err := conn.NewStream(ctx, &k.desc, k.full)
				if err != nil {
					t.Fatal(err)
				}
				_ = stream.SendMsg(k.request("a"))
				cancel()
			},
			"after receiving": func(ctx context.Context, cancel func()) {
				stream, err := conn.NewStream(ctx, &k.desc, k.full)
				if err != nil {
					t.Fatal(err)
				}
				_ = stream.SendMsg(k.request("a"))
				_ = stream.CloseSend()
				if k.desc.ServerStreams {
					if err := stream.RecvMsg(k.reply()); err != nil {
						t.Errorf("%s: RecvMsg %v", k.name, err)
					}
				}
				cancel()
			},
			"after its own mistake": func(ctx context.Context, _ func()) {
				stream, err := conn.NewStream(ctx, &k.desc, k.full)
				if err != nil {
					t.Fatal(err)
				}
				if err := stream.SendMsg("no message"); status.Code(err) != codes.Internal {
					t.Errorf("%s: SendMsg %v", k.name, err)
				}
			},
		} {
			t.Run(k.name+"/"+name, func(t *testing.T) {
				for range 20 {
					ctx, cancel := context.WithCancel(t.Context())
					t.Cleanup(cancel)
					leave(ctx, cancel)
				}
				settle(t)
			})
		}
	}
}

// settle waits until no goroutine runs a dispatch any more.
func settle(t *testing.T) {
	t.Helper()
	ctx := within(t)
	buf := make([]byte, 1<<20)
	for {
		stacks := string(buf[:runtime.Stack(buf, true)])
		if !strings.Contains(stacks, "grpcadapter.(*pipe)") && !strings.Contains(stacks, "grpcadapter.(*unary)") {
			return
		}
		if ctx.Err() != nil {
			t.Fatalf("goroutines are left:\n%s", stacks)
		}
		runtime.Gosched()
	}
}

// TestConnOnFinishOfAbandonedStream checks that the option runs when the context
// ends though nobody looks at the stream any more.
func TestConnOnFinishOfAbandonedStream(t *testing.T) {
	t.Parallel()
	client, _ := inProcess(t, interceptor.MustNew(), &service{bidiStream: func(ss bidiStreamServer) error {
		<-ss.Context().Done()
		return nil
	}})
	ctx, cancel := context.WithCancel(within(t))
	finished := make(chan error, 2)
	stream, err := client.BidiStream(ctx, grpc.OnFinish(func(err error) { finished <- err }))
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	if err := <-finished; status.Code(err) != codes.Canceled {
		t.Errorf("OnFinish got %v", err)
	}
	if _, err := stream.Recv(); status.Code(err) != codes.Canceled {
		t.Errorf("Recv returned %v", err)
	}
	if len(finished) > 0 {
		t.Error("OnFinish ran twice")
	}
}

// TestConnBlockedSenders checks that senders nobody listens to are released by
// the end of the call.
func TestConnBlockedSenders(t *testing.T) {
	t.Parallel()
	sent := make(chan error, 1)
	client, _ := inProcess(t, interceptor.MustNew(), &service{bidiStream: func(ss bidiStreamServer) error {
		for {
			if err := ss.Send(&pb.BidiStreamResponse{Text: strings.Repeat("x", 1000)}); err != nil {
				sent <- err
				return err
			}
		}
	}})
	ctx, cancel := context.WithCancel(within(t))
	defer cancel()
	stream, err := client.BidiStream(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 1000 {
		if i == 50 {
			go cancel() // perhaps while Send blocks
		}
		if err = stream.Send(&pb.BidiStreamRequest{Text: strings.Repeat("x", 1000)}); err != nil {
			break
		}
	}
	if !errors.Is(err, io.EOF) {
		t.Errorf("a client that is ahead of its server sent all, or got %v; want io.EOF", err)
	}
	if err := <-sent; status.Code(err) != codes.Canceled {
		t.Errorf("the handler's Send returned %v, want CANCELLED", err)
	}
}
