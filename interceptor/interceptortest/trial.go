package interceptortest

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/crosscut-go/crosscut/interceptor"
	"github.com/crosscut-go/crosscut/internal/driver"
)

var ops = driver.Get[interceptor.Stack, interceptor.Call, interceptor.Method]()

// trial is a server with hooks, what its handler does, and the calls made to it.
type trial struct {
	hooks     []interceptor.Hook
	observe   bool // have the stack note every phase
	authority string
	do        func(*handling) error
	service   func(*service) // changes the service before it is served
	rec       *recorder
	calls     func(ctx context.Context, s *site) []*answer
	linger    time.Duration // how long goroutines may stay after the server; 0 is a default
}

// outcome is what became of a trial, when all its calls have ended.
type outcome struct {
	way     *way
	answers []*answer
	records []*record
	reports []error
	leaked  string // stacks of goroutines, if the trial looks for them
}

// run performs the trial on one way. An error means that no call could be made,
// or that one does not end.
func (t trial) run(ctx context.Context, w *way) (*outcome, error) {
	if t.rec == nil {
		t.rec = newRecorder()
	}
	stack, err := interceptor.New(t.hooks...)
	if err != nil {
		return nil, err
	}
	stack = stack.ReportTo(t.rec.report)
	if t.observe {
		stack = ops.Observe(stack, func(call *interceptor.Call, hook, phase string) { t.rec.add(call, phase+" "+hook) })
	}
	svc := &service{rec: t.rec, do: t.do}
	if t.service != nil {
		t.service(svc)
	}
	s, err := newSite(w, stack, svc, t.authority)
	if err != nil {
		return nil, fmt.Errorf("%s does not start with these hooks: %w", w.name, err)
	}
	o := &outcome{way: w, answers: t.calls(ctx, s)}
	err = s.close()
	if err != nil {
		return nil, err
	}
	if n := len(o.answers); n >= leakCalls {
		o.leaked = s.left(n, cmp.Or(t.linger, patience/4))
	}
	o.records, o.reports = t.rec.all()
	return o, nil
}

// leakCalls is how many calls a trial must make before goroutines that are left
// tell of a leak: one per call, rather than what a hook begins once.
const leakCalls = 8

// once makes one call.
func once(x exchange) func(context.Context, *site) []*answer {
	return func(ctx context.Context, s *site) []*answer { return []*answer{s.send(ctx, x)} }
}
