package interceptor_test

import (
	"context"
	"errors"
	"testing"

	"google.golang.org/grpc/codes"

	"github.com/crosscut-go/crosscut/interceptor"
	"github.com/crosscut-go/crosscut/internal/driver"
)

var plannedKey = interceptor.NewKey[string]("planned")

// planner is a hook with messages that plans as it is told.
type planner struct {
	interceptor.Base
	tr       *trace
	name     string
	provides []interceptor.AnyKey
	plan     func(*interceptor.MethodPlan) error
	receive  func() error
}

func (p *planner) Name() string                                  { return p.name }
func (p *planner) Provides() []interceptor.AnyKey                { return p.provides }
func (p *planner) PlanMethod(plan *interceptor.MethodPlan) error { return p.plan(plan) }
func (p *planner) Decides()                                      {}
func (p *planner) OnSend(context.Context, *callT, any) error     { p.tr.add("S" + p.name); return nil }
func (p *planner) OnReceive(context.Context, *callT, any) error {
	p.tr.add("R" + p.name)
	if p.receive != nil {
		return p.receive()
	}
	return nil
}

// TestPlanMethod: hooks plan outermost first, values go inward only, and a hook that
// skips messages of a method sees none.
func TestPlanMethod(t *testing.T) {
	tr := &trace{}
	var planned []string
	note := func(k interceptor.AnyKey, p *interceptor.MethodPlan) {
		v, ok := plannedKey.Planned(p)
		if ok != (v != "") {
			t.Errorf("Planned: %q, %v", v, ok)
		}
		text := "-"
		if p.Provided(k) {
			text = "+"
		}
		planned = append(planned, p.Method().Name()+text+v)
	}
	outer := &planner{tr: tr, name: "1", provides: []interceptor.AnyKey{plannedKey}}
	outer.plan = func(p *interceptor.MethodPlan) error {
		note(plannedKey, p)
		plannedKey.SetPlanned(p, "x")
		plannedKey.SetPlanned(p, "inward")
		p.SkipMessages()
		return nil
	}
	inner := &planner{tr: tr, name: "2", plan: func(p *interceptor.MethodPlan) error {
		note(plannedKey, p)
		p.Report(nil)
		p.Report(errors.New("look at this"))
		return nil
	}}
	stack, reports := build(t, outer, inner)
	m := newRPC(interceptor.Unary)
	name := m.Name()
	for range 2 {
		whole(stack, m, &quietWire{wire{kind: driver.GRPC}}, text("m"))
	}
	if len(planned) != 2 || planned[0] != name+"-" || planned[1] != name+"+inward" {
		t.Errorf("planned %q; want the outer hook, then the inner one with its value, once", planned)
	}
	wantTrace(t, tr, "R2 S2 R2 S2")
	wantText(t, reports.String(), "hook 2", name, "look at this")
	if err := ops.Prepare(stack, m, driver.HTTP); err != nil || len(planned) != 4 {
		t.Errorf("another transport: %v, planned %q", err, planned)
	}
}

// TestPlanMethodRefuses: an error or a panic of PlanMethod closes the method.
func TestPlanMethodRefuses(t *testing.T) {
	for name, plan := range map[string]func(*interceptor.MethodPlan) error{
		"no such thing": func(*interceptor.MethodPlan) error { return errors.New("no such thing") },
		"planned badly": func(*interceptor.MethodPlan) error { panic("planned badly") },
	} {
		stack, _ := build(t, &planner{tr: &trace{}, name: "p", plan: plan})
		err := ops.Prepare(stack, newRPC(interceptor.Unary), driver.GRPC)
		if err == nil {
			t.Fatalf("%s: no error", name)
		}
		wantText(t, err.Error(), "hook p refuses method", name)
	}
}

// TestSkipMessagesAndAwait: a hook that waits for a message it does not get fails the
// call instead of letting the handler run.
func TestSkipMessagesAndAwait(t *testing.T) {
	h := &awaiting{planner{tr: &trace{}, name: "h", plan: func(p *interceptor.MethodPlan) error {
		p.SkipMessages()
		return nil
	}}}
	stack, _ := build(t, h)
	c := new(callT)
	ops.Begin(c, stack, t.Context(), &quietWire{wire{kind: driver.GRPC}})
	if going := ops.Request(c) && ops.Resolve(c, newRPC(interceptor.Unary), ""); going || c.Code() != codes.Internal {
		t.Errorf("the call goes on: %v, code %v; want INTERNAL", going, c.Code())
	}
	wantText(t, c.Err().Error(), "AwaitMessage", "SkipMessages")
	ops.End(c, 0)
}

type awaiting struct{ planner }

func (*awaiting) BeforeHandler(ctx context.Context, call *callT, _ *methT) (context.Context, error) {
	call.AwaitMessage()
	return ctx, nil
}

// TestDeciderRefusesMessage: a call whose message a Decider refuses is denied.
func TestDeciderRefusesMessage(t *testing.T) {
	for name, receive := range map[string]func() error{
		"error": func() error { return interceptor.NewError(codes.PermissionDenied, "no") },
		"panic": func() error { panic("no") },
	} {
		stack, _ := build(t, &planner{tr: &trace{}, name: "d", receive: receive, plan: func(*interceptor.MethodPlan) error { return nil }})
		c := new(callT)
		ops.Begin(c, stack, t.Context(), &quietWire{wire{kind: driver.GRPC}})
		_ = ops.Request(c) && ops.Resolve(c, newRPC(interceptor.Unary), "")
		if err := ops.Receive(c, text("m"), -1); err == nil || !c.Denied() {
			t.Errorf("%s: %v, denied %v; want a denied call", name, err, c.Denied())
		}
		ops.End(c, 0)
	}
}
