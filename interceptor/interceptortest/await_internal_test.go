package interceptortest

import (
	"context"
	"errors"
	"io"
	"net/http"
	"slices"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"

	"github.com/crosscut-go/crosscut/interceptor"
	pb "github.com/crosscut-go/crosscut/proto/crosscut/conformance/v1"
)

// greets sends before it has received anything and swallows every error.
func greets(stream grpc.BidiStreamingServer[pb.BidiStreamRequest, pb.BidiStreamResponse]) error {
	_ = stream.Send(&pb.BidiStreamResponse{Text: "welcome"})
	for {
		if _, err := stream.Recv(); err != nil {
			_ = stream.Send(&pb.BidiStreamResponse{Text: "bye"})
			return nil //nolint:nilerr // a handler that swallows what its messages were refused with
		}
	}
}

// 28: nothing reaches the client of a stream before a hook that awaits the first
// message has agreed, and the call ends as the hook decides, never OK.
func TestAwaitMessageBeforeAGreeting(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		do     on
		silent bool
		code   codes.Code
		texts  []string
	}{
		{"the hook agrees", on{"BH2": await}, false, codes.OK, []string{"welcome", "bye"}},
		{"the hook refuses", on{"BH2": await, "RX2": reject(codes.PermissionDenied, "not you")}, false, codes.PermissionDenied, nil},
		{"no message comes", on{"BH2": await}, true, codes.InvalidArgument, nil},
		{"nobody awaits", nil, true, codes.OK, []string{"welcome", "bye"}},
	}
	for _, tt := range tests {
		for _, w := range ways {
			if w.kind != interceptor.BidiStream {
				continue
			}
			t.Run(tt.name+"/"+w.name, func(t *testing.T) {
				t.Parallel()
				p := newPlay(w, tt.do)
				o, err := trial{
					hooks: []interceptor.Hook{p.hook("1"), p.hook("2"), p.hook("3")}, rec: p.rec,
					service: func(s *service) { s.bidi = greets },
					calls:   once(exchange{text: "hello", silent: tt.silent}),
				}.run(t.Context(), w)
				if err != nil {
					t.Fatal(err)
				}
				got := o.answers[0]
				if got.code() != tt.code || !slices.Equal(got.texts, tt.texts) {
					t.Errorf("the client got %v and the messages %q, want %v and %q; trace %s", got.err, got.texts, tt.code, tt.texts, o.traces())
				}
				for _, f := range p.facts[o.records[0].call] {
					if f.at[:2] == ar && f.code != tt.code {
						t.Errorf("%s saw %v, want %v", f.at, f.code, tt.code)
					}
				}
			})
		}
	}
}

// 24: the first event of a response that is written bit by bit arrives before the
// handler returns, and AfterResponse waits for the handler.
func TestServerSentEvents(t *testing.T) {
	t.Parallel()
	for _, w := range ways {
		if !w.plain() {
			continue
		}
		t.Run(w.name, func(t *testing.T) { testServerSentEvents(t, w) })
	}
}

func testServerSentEvents(t *testing.T, w *way) {
	t.Parallel()
	p := newPlay(w, nil)
	arrived := make(chan struct{})
	stack := interceptor.MustNew(p.hook("1"), p.hook("2"), p.hook("3"))
	svc := &service{rec: p.rec, do: func(h *handling) error {
		if err := errors.Join(h.send("data: one\n\n"), h.flush()); err != nil {
			return err
		}
		select {
		case <-arrived: // the client has the first event, and only now comes the second
		case <-h.ctx.Done():
			return h.ctx.Err()
		}
		return h.send("data: two\n\n")
	}}
	s, err := newSite(w, stack, svc, "")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	first, rest := s.client.(*plainClient).events(ctx, t, func(string) {
		if records, _ := p.rec.all(); notation(records[0].trace) != "BR123 BH123 HND RS321" {
			t.Errorf("after the first event the trace is %s", notation(records[0].trace))
		}
		close(arrived)
	})
	if err := s.close(); err != nil {
		t.Fatal(err)
	}
	records, _ := p.rec.all()
	if got := notation(records[0].trace); first != "data: one\n\n" || rest != "data: two\n\n" || got != "BR123 BH123 HND RS321 AR321 DF" {
		t.Errorf("the client read %q and %q; trace %s", first, rest, got)
	}
}

// events reads the first event, tells that it has arrived, and reads the rest.
func (c *plainClient) events(ctx context.Context, t *testing.T, arrived func(string)) (first, rest string) {
	t.Helper()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, c.base+"/plain", nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := c.http.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	event := make([]byte, len("data: one\n\n"))
	if _, err := io.ReadFull(resp.Body, event); err != nil {
		t.Fatal(err)
	}
	arrived(string(event))
	more, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(event), string(more)
}
