package interceptortest

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"

	"google.golang.org/grpc/codes"

	"github.com/crosscut-go/crosscut/interceptor"
)

// rule is one thing that [Run] checks on a way. Its problems tell what is wrong;
// what every rule has in common is in [conformance.check].
type rule struct {
	name     string
	on       func(*way) bool // nil: every way
	handler  func(context.Context) error
	exchange func(accepted exchange) exchange // nil: the accepted request
	leaves   bool                             // the client gives up while the handler runs
	calls    int                              // how many at the same time; 0 is one
	problems func(c *conformance, a *answer, r *record) []string
}

// handlerHeader is set by the handler of every rule.
const handlerHeader = "X-Interceptortest-Handler"

var errHandler = interceptor.NewError(codes.FailedPrecondition, "the handler has failed")

// handlerPanic is what handlers panic with.
type handlerPanic struct{}

var rules = []rule{
	{name: "an accepted call succeeds", problems: (*conformance).success},
	{name: "calls at the same time", calls: leakCalls, problems: (*conformance).success},
	{
		name:     "a call without headers",
		exchange: func(exchange) exchange { return exchange{} },
		problems: (*conformance).typed,
	},
	{
		name:     "the handler fails",
		handler:  func(context.Context) error { return errHandler },
		problems: (*conformance).typed,
	},
	{
		name:    "the handler panics",
		handler: func(context.Context) error { panic(handlerPanic{}) },
	},
	{
		name: "the client leaves",
		handler: func(ctx context.Context) error {
			<-ctx.Done()
			return ctx.Err()
		},
		leaves: true,
	},
	{
		name:     "no such method or route",
		on:       func(w *way) bool { return !w.is(grpcGuard, plainBare) },
		exchange: func(x exchange) exchange { x.unknown = true; return x },
		problems: (*conformance).typed,
	},
	{
		name:     "a request that cannot be decoded",
		on:       func(w *way) bool { return !w.plain() && !w.is(inProcess) },
		exchange: func(x exchange) exchange { x.undecodable = true; return x },
	},
}

// success are the problems of a call that must succeed.
func (c *conformance) success(a *answer, r *record) (problems []string) {
	if a.code() != codes.OK {
		return []string{fmt.Sprintf("the client got %v; if the hook needs headers or other hooks, give them with WithRequest and WithOuter", a.err)}
	}
	if !r.reached {
		problems = append(problems, "the handler was not reached")
	}
	if want := []string{c.request.Message}; !slices.Equal(a.texts, want) && !(c.request.Message == "" && len(a.texts) == 0) {
		problems = append(problems, fmt.Sprintf("the client got the messages %q, but the handler sent %q", a.texts, want))
	}
	if got := a.headers(handlerHeader); !slices.Equal(got, []string{"set"}) {
		problems = append(problems, fmt.Sprintf("the handler's header %s arrived as %q", handlerHeader, got))
	}
	return problems
}

// typed are the problems of a call that may fail: an error without a code is a
// bug, and so is INTERNAL.
func (c *conformance) typed(a *answer, _ *record) []string {
	if code := a.code(); code == codes.Unknown || code == codes.Internal {
		return []string{fmt.Sprintf("the client got %v; reject with an error that says what is wrong, made by interceptor.NewError or with a GRPCStatus method", a.err)}
	}
	return nil
}

// violations performs a rule on a way and tells what is wrong.
func (c *conformance) violations(ctx context.Context, w *way, r rule) []string {
	x := c.request.exchange()
	if r.exchange != nil {
		x = r.exchange(x)
	}
	gone := make(chan struct{})
	if r.leaves {
		x.cancel = gone
	}
	var leave sync.Once
	request := Request{ResponseHeader: http.Header{handlerHeader: {"set"}}, Handler: func(ctx context.Context) error {
		leave.Do(func() { close(gone) })
		if r.handler == nil {
			return nil
		}
		return r.handler(ctx)
	}}
	o, err := trial{
		hooks: c.hooks(), observe: true, authority: c.request.Authority, do: request.handle, linger: c.linger,
		calls: func(ctx context.Context, s *site) []*answer { return s.sendAll(ctx, x, max(1, r.calls)) },
	}.run(ctx, w)
	if err != nil {
		return []string{err.Error()}
	}
	return c.problems(o, r)
}

// problems are what is wrong with an outcome.
func (c *conformance) problems(o *outcome, r rule) (problems []string) {
	for _, rec := range o.records {
		problems = append(problems, repeated(rec.trace)...)
	}
	for _, a := range o.answers {
		rec := &record{reached: true} // which call of many it was, nobody knows
		if len(o.answers) == 1 {
			rec.reached = len(o.records) > 0 && o.records[0].reached
		}
		if r.problems != nil {
			problems = append(problems, r.problems(c, a, rec)...)
		}
	}
	for _, report := range o.reports {
		var p *interceptor.PanicError
		if errors.As(report, &p) && p.Hook == "" && isHandlerPanic(p.Value) {
			continue
		}
		problems = append(problems, "the stack reported: "+report.Error())
	}
	if o.leaked != "" {
		problems = append(problems, "goroutines are left after the server has stopped; end them in AfterResponse or with Call.Defer:\n"+o.leaked)
	}
	return problems
}

func isHandlerPanic(v any) bool {
	_, ok := v.(handlerPanic)
	return ok
}

// repeated finds phases that ran more than once for one hook of one call.
// Messages may be many, and a WrapHandler further out may try again.
func repeated(trace []string) (problems []string) {
	seen := map[string]bool{}
	for _, step := range trace {
		phase, _, _ := strings.Cut(step, " ")
		if slices.Contains([]string{"OnReceive", "OnSend", "WrapHandler", handlerStep}, phase) {
			continue
		}
		if seen[step] {
			problems = append(problems, step+" ran more than once: "+strings.Join(trace, ", "))
		}
		seen[step] = true
	}
	return problems
}

// sendAll makes n calls at the same time.
func (s *site) sendAll(ctx context.Context, x exchange, n int) []*answer {
	answers := make([]*answer, n)
	var running sync.WaitGroup
	for i := range answers {
		running.Go(func() { answers[i] = s.send(ctx, x) })
	}
	running.Wait()
	return answers
}
