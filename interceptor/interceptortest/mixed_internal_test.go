package interceptortest

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"

	"google.golang.org/grpc/codes"

	"github.com/crosscut-go/crosscut/interceptor"
)

type ticketKey struct{}

// 23: of a thousand calls at once, on every transport of one server, none sees
// anything of another, and every one that was entered ends once.
func TestThousandCallsAtOnce(t *testing.T) {
	t.Parallel()
	ticket := interceptor.NewKey[string]("ticket")
	var entered, ended, mixed atomic.Int64
	check := func(where string, call *interceptor.Call, got, want string) {
		if got != want {
			mixed.Add(1)
			t.Errorf("%s of %v reads %q in the call of %q", where, call.Method().Name(), got, want)
		}
	}
	idOf := func(call *interceptor.Call) string { return call.RequestHeader().Get("X-Ticket") }
	hook := interceptor.FromFuncs("ticket", interceptor.Funcs{
		BeforeRequest: func(ctx ctxT, call *callT) (ctxT, error) {
			entered.Add(1)
			ticket.Set(call, idOf(call))
			return context.WithValue(ctx, ticketKey{}, idOf(call)), call.ResponseHeader().Set("X-Ticket-Echo", idOf(call))
		},
		BeforeHandler: func(ctx ctxT, call *callT, _ *methT) (ctxT, error) {
			if call.RequestHeader().Get("X-Do") == "reject" {
				return nil, interceptor.NewError(codes.PermissionDenied, idOf(call))
			}
			return ctx, nil
		},
		AfterResponse: func(ctx ctxT, call *callT) {
			ended.Add(1)
			got, _ := ticket.Get(call)
			check("the key", call, got, idOf(call))
			check("the context", call, fmt.Sprint(ctx.Value(ticketKey{})), idOf(call))
		},
	})
	svc := &service{rec: newRecorder(), do: func(h *handling) error {
		got, _ := ticket.From(h.ctx)
		check("the handler's key", h.call, got, h.text)
		check("the handler's context", h.call, fmt.Sprint(h.ctx.Value(ticketKey{})), h.text)
		switch h.call.RequestHeader().Get("X-Do") {
		case "fail":
			return interceptor.NewError(codes.Aborted, h.text)
		case "panic":
			panic(h.text)
		}
		return h.send(h.text)
	}}
	c := newComplete(t, interceptor.MustNew(hook).ReportTo(nil), svc)
	n := hammer(t, c, 1000)
	if err := c.close(); err != nil {
		t.Fatal(err)
	}
	if entered.Load() != n || ended.Load() != n || mixed.Load() != 0 {
		t.Errorf("of %d calls %d were entered and %d ended; %d were mixed up", n, entered.Load(), ended.Load(), mixed.Load())
	}
}

// hammer makes n calls at once and checks that each client gets its own answer.
func hammer(t *testing.T, c *complete, n int64) int64 {
	t.Helper()
	var names []string
	for _, w := range ways {
		if c.clients[w.name] != nil {
			names = append(names, w.name)
		}
	}
	outcomes := map[string]codes.Code{"answer": codes.OK, "reject": codes.PermissionDenied, "fail": codes.Aborted, "panic": codes.Internal}
	does := []string{"answer", "reject", "fail", "answer", "panic"}
	ctx, cancel := context.WithTimeout(t.Context(), 3*patience)
	defer cancel()
	var running sync.WaitGroup
	for i := range n {
		name, do := names[i%int64(len(names))], does[i/int64(len(names))%int64(len(does))]
		running.Go(func() {
			id := fmt.Sprintf("ticket-%d", i)
			got := c.clients[name].call(ctx, exchange{text: id, header: http.Header{"X-Ticket": {id}, "X-Do": {do}}})
			switch message := got.status.Message(); {
			case got.code() != outcomes[do]:
				t.Errorf("%s %s: got %v", name, do, got.err)
			case do == "answer" && (len(got.texts) != 1 || got.texts[0] != id), (do == "reject" || do == "fail") && message != id:
				t.Errorf("%s %s: call %s got %q, %q", name, do, id, got.texts, message)
			}
			if echo := got.headers("X-Ticket-Echo"); len(echo) != 1 || echo[0] != id {
				t.Errorf("%s %s: call %s got the header of %q", name, do, id, echo)
			}
		})
	}
	running.Wait()
	return n
}
