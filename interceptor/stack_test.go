package interceptor_test

import (
	"context"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"google.golang.org/genproto/googleapis/api/annotations"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"

	"github.com/crosscut-go/crosscut/interceptor"
	"github.com/crosscut-go/crosscut/internal/driver"
)

var update = flag.Bool("update", false, "rewrite the golden files")

var userKey, roleKey = interceptor.NewKey[string]("user"), interceptor.NewKey[string]("role")

// keyed is a hook that needs and sets keys.
type keyed struct {
	interceptor.Base
	name        string
	needs, sets []interceptor.AnyKey
}

func (k *keyed) Name() string                   { return k.name }
func (k *keyed) Requires() []interceptor.AnyKey { return k.needs }
func (k *keyed) Provides() []interceptor.AnyKey { return k.sets }

// Hooks that are nearly right.
type (
	onlyReceive   struct{ interceptor.Base }
	wrongResponse struct{ interceptor.Base }
	wrongDecides  struct{ interceptor.Base }
	pointerNamed  struct{ interceptor.Base }
	pointerWrong  struct{ interceptor.Base }
	nilFunc       func()
)

func (onlyReceive) OnReceive(context.Context, *callT, any) error { return nil }
func (wrongResponse) BeforeResponse(context.Context) error       { return nil }
func (wrongDecides) Decides() bool                               { return true }
func (*pointerNamed) Name() string                               { return "p" }
func (*pointerWrong) CheckMethod(string) error                   { return nil }

func (nilFunc) BeforeRequest(ctx ctxT, _ *callT) (ctxT, error)           { return ctx, nil }
func (nilFunc) BeforeHandler(ctx ctxT, _ *callT, _ *methT) (ctxT, error) { return ctx, nil }
func (nilFunc) OnError(_ ctxT, _ *callT, err error) error                { return err }
func (nilFunc) AfterResponse(ctxT, *callT)                               {}

// TestNewRefuses: every list that cannot work, with what to do about it.
func TestNewRefuses(t *testing.T) {
	t.Parallel()
	sets := &keyed{name: "authn", sets: []interceptor.AnyKey{userKey}}
	needs := &keyed{name: "authz", needs: []interceptor.AnyKey{userKey}}
	both := &keyed{name: "self", needs: []interceptor.AnyKey{userKey}, sets: []interceptor.AnyKey{userKey}}
	onGRPC := interceptor.On(interceptor.GRPC)
	none := interceptor.FromFuncs("x", funcsT{})
	tests := []struct {
		name  string
		hooks []interceptor.Hook
		want  []string
	}{
		{"nil", []interceptor.Hook{none, nil}, []string{"hook 2 of the list is nil", "NotUsed"}},
		{"typed nil", []interceptor.Hook{(*keyed)(nil)}, []string{"hook 1 of the list is nil"}},
		{"nil func", []interceptor.Hook{nilFunc(nil)}, []string{"hook 1 of the list is nil"}},
		{"nil inside When", []interceptor.Hook{interceptor.When(onGRPC, nil)}, []string{"hook 1 of the list in When(On(grpc)) is nil"}},
		{"As of nil", []interceptor.Hook{interceptor.As("x", nil)}, []string{`As("x", nil)`}},
		{"As of typed nil", []interceptor.Hook{interceptor.As("x", (*keyed)(nil))}, []string{`As("x", nil)`}},
		{"As of When", []interceptor.Hook{interceptor.As("x", interceptor.When(onGRPC, none))}, []string{`As("x", When(…))`, "inside"}},
		{"duplicate name", []interceptor.Hook{none, none}, []string{`two hooks are named "x"`, "As"}},
		{"empty name", []interceptor.Hook{interceptor.FromFuncs("", funcsT{})}, []string{"hook 1", "empty name"}},
		{"needed later", []interceptor.Hook{needs, sets}, []string{"authz needs user from authn", "listed after it; list authn, then authz"}},
		{"needed elsewhere", []interceptor.Hook{interceptor.When(onGRPC, sets), needs}, []string{"authn, which runs only inside When(On(grpc))", "outside of it, before authz"}},
		{"needed nowhere", []interceptor.Hook{needs}, []string{"authz needs user, which no hook in the stack provides"}},
		{"its own key", []interceptor.Hook{both}, []string{"self needs user, which no hook"}},
		{"another key of the type", []interceptor.Hook{sets, &keyed{name: "r", needs: []interceptor.AnyKey{roleKey}}}, []string{"r needs role"}},
		{"half a MessageHook", []interceptor.Hook{onlyReceive{}}, []string{"onlyReceive has OnReceive", "both OnReceive and OnSend", "OnSend(context.Context, *interceptor.Call, interface {}) error"}},
		{"wrong signature", []interceptor.Hook{wrongResponse{}}, []string{"wrongResponse", "BeforeResponse(context.Context, *interceptor.Call) error", "rename"}},
		{"a marker with a result", []interceptor.Hook{wrongDecides{}}, []string{"wrongDecides", "Decides()"}},
		{"pointer receiver", []interceptor.Hook{pointerNamed{}}, []string{"Name has a pointer receiver", "list &interceptor_test.pointerNamed{…}"}},
		{"pointer receiver, wrong signature", []interceptor.Hook{pointerWrong{}}, []string{"pointerWrong", "CheckMethod(*interceptor.Method) error"}},
		{"zero Selector", []interceptor.Hook{interceptor.When(interceptor.Selector{}, none)}, []string{"zero Selector"}},
		{"Not of a zero Selector", []interceptor.Hook{interceptor.When(interceptor.Not(interceptor.Selector{}), none)}, []string{"zero Selector"}},
		{"Methods of nothing", []interceptor.Hook{interceptor.When(interceptor.Methods(), none)}, []string{"no method is named"}},
		{"Services of nothing", []interceptor.Hook{interceptor.When(interceptor.Services(), none)}, []string{"no service is named"}},
		{"HasOption of nil", []interceptor.Hook{interceptor.When(interceptor.HasOption(nil), none)}, []string{"the extension is nil"}},
		{"SelectFunc of nil", []interceptor.Hook{interceptor.When(interceptor.SelectFunc("f", nil), none)}, []string{"When(f)", "the function is nil"}},
		{"On an unknown transport", []interceptor.Hook{interceptor.When(interceptor.On(9), none)}, []string{"neither GRPC nor HTTP"}},
		{"all at once", []interceptor.Hook{nil, none, none, needs}, []string{"hook 1", "two hooks", "authz needs"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			_, err := interceptor.New(test.hooks...)
			if err == nil {
				t.Fatal("New accepted it")
			}
			wantText(t, err.Error(), test.want...)
			defer func() {
				if got := recover(); got != err.Error() {
					t.Errorf("MustNew panicked with %v, want the text of New", got)
				}
			}()
			interceptor.MustNew(test.hooks...)
		})
	}
}

// TestNewAccepts what only looks wrong.
func TestNewAccepts(t *testing.T) {
	t.Parallel()
	sets := &keyed{name: "authn", sets: []interceptor.AnyKey{userKey}}
	needs := &keyed{name: "authz", needs: []interceptor.AnyKey{userKey}}
	onGRPC := interceptor.On(interceptor.GRPC)
	for name, hooks := range map[string][]interceptor.Hook{
		"nothing":              nil,
		"provided before":      {sets, needs},
		"provided outside":     {sets, interceptor.When(onGRPC, needs)},
		"provided in the When": {interceptor.When(onGRPC, sets, interceptor.When(onGRPC, needs))},
		"not used":             {interceptor.NotUsed("off"), interceptor.As("x", interceptor.NotUsed("off"))},
		"two of a type":        {interceptor.As("a", interceptor.Base{}), interceptor.As("b", interceptor.Base{})},
		"renamed twice":        {interceptor.As("a", interceptor.As("b", interceptor.Base{})), interceptor.As("b", interceptor.Base{})},
		"pointer":              {&pointerNamed{}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, err := interceptor.New(hooks...); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestAsKeepsInterfaces: a renamed hook still decides, and goes by its new name.
func TestAsKeepsInterfaces(t *testing.T) {
	t.Parallel()
	stack, log := build(t, interceptor.As("door", &decider{err: errDenied}),
		interceptor.As("panics", interceptor.FromFuncs("x", funcsT{AfterResponse: func(ctxT, *callT) { panic(1) }})))
	if o := (&rig{stack: stack, method: newRPC(interceptor.Unary)}).run(); !o.call.Denied() {
		t.Error("the renamed Decider did not deny")
	}
	wantText(t, log.String(), "panic in hook panics")
}

// TestImmutable: With and ReportTo make other stacks and leave the first alone.
func TestImmutable(t *testing.T) {
	t.Parallel()
	tr := &trace{}
	hooks := []interceptor.Hook{tr.hook("1", funcsT{AfterResponse: func(ctxT, *callT) { panic("x") }})}
	first, err := interceptor.New(hooks...)
	if err != nil {
		t.Fatal(err)
	}
	hooks[0] = nil // the stack has its own list
	log := &reports{}
	stack := first.ReportTo(log.tell)
	more, err := stack.With(tr.hook("2", funcsT{}))
	if err != nil {
		t.Fatal(err)
	}
	silent := stack.ReportTo(nil)
	shout := stack.ReportTo(func(context.Context, *callT, error) { panic("reporter") })
	for _, s := range []*interceptor.Stack{stack, more, silent, shout} {
		(&rig{stack: s, method: newRPC(interceptor.Unary)}).run()
	}
	one := "BR1 BH1 RX1 TX1 RS1 AR1"
	wantTrace(t, tr, one+" BR1 BR2 BH1 BH2 RX1 RX2 TX2 TX1 RS2 RS1 AR2 AR1 "+one+" "+one)
	if n := strings.Count(log.String(), "panic in hook H1"); n != 2 {
		t.Errorf("%d reports, want those of the stack and of With", n)
	}
	if _, err := stack.With(nil); err == nil {
		t.Error("With accepted nil")
	}
}

// optioned is a method whose .proto sets google.api.http.
func optioned(t *testing.T) *methT {
	t.Helper()
	options := &descriptorpb.MethodOptions{}
	proto.SetExtension(options, annotations.E_Http, &annotations.HttpRule{Pattern: &annotations.HttpRule_Get{Get: "/x"}})
	file, err := protodesc.NewFile(&descriptorpb.FileDescriptorProto{
		Syntax: proto.String("proto3"), Name: proto.String("option_test.proto"), Package: proto.String("engine.test"),
		Dependency: []string{"google/protobuf/wrappers.proto"},
		Service: []*descriptorpb.ServiceDescriptorProto{{Name: proto.String("Optioned"), Method: []*descriptorpb.MethodDescriptorProto{{
			Name: proto.String("Get"), InputType: proto.String(".google.protobuf.StringValue"),
			OutputType: proto.String(".google.protobuf.StringValue"), Options: options,
		}}}},
	}, protoregistry.GlobalFiles)
	if err != nil {
		t.Fatal(err)
	}
	return ops.NewMethod("/engine.test.Optioned/Get", file.Services().Get(0).Methods().Get(0), 0)
}

// TestWhen: each selector picks what it says, on both transports, alone, negated
// and nested.
func TestWhen(t *testing.T) {
	t.Parallel()
	unary, opt, route := newRPC(interceptor.Unary), optioned(t), ops.NewRoute("GET /x")
	grpc, http := driver.GRPC, driver.HTTP
	on, not := interceptor.On, interceptor.Not
	methods, services := interceptor.Methods(unary.Name()), interceptor.Services("engine.test.Optioned")
	has := interceptor.HasOption(annotations.E_Http)
	tests := []struct {
		name     string
		selector []interceptor.Selector // nested, outermost first
		want     string                 // unary, optioned and route over grpc, then http
	}{
		{"Methods", []interceptor.Selector{methods}, "U-- U--"},
		{"Services", []interceptor.Selector{services}, "-O- -O-"},
		{"HasOption", []interceptor.Selector{has}, "-O- -O-"},
		{"SelectFunc", []interceptor.Selector{interceptor.SelectFunc("plain", func(m *methT) bool { return m.Descriptor() == nil })}, "--R --R"},
		{"On(GRPC)", []interceptor.Selector{on(interceptor.GRPC)}, "UOR ---"},
		{"On(HTTP)", []interceptor.Selector{on(interceptor.HTTP)}, "--- UOR"},
		{"Not(On)", []interceptor.Selector{not(on(interceptor.HTTP))}, "UOR ---"},
		{"Not(Methods)", []interceptor.Selector{not(methods)}, "-OR -OR"},
		{"Not(Not)", []interceptor.Selector{not(not(has))}, "-O- -O-"},
		{"On, Methods", []interceptor.Selector{on(interceptor.HTTP), methods}, "--- U--"},
		{"Methods, On", []interceptor.Selector{methods, on(interceptor.HTTP)}, "--- U--"},
		{"Methods, Services", []interceptor.Selector{methods, services}, "--- ---"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			tr := &trace{}
			hook := tr.hook("2", funcsT{})
			for i := len(test.selector) - 1; i >= 0; i-- {
				hook = interceptor.When(test.selector[i], hook)
			}
			stack, _ := build(t, tr.hook("1", funcsT{}), hook, tr.hook("3", funcsT{}))
			got := ""
			for _, kind := range []driver.Kind{grpc, http} {
				for i, m := range []*methT{unary, opt, route} {
					*tr = trace{}
					r := &rig{stack: stack, method: m, kind: kind}
					if m == route {
						r.plain = func(w *plainWriter) error { w.writeHeader(200); return nil }
					}
					if r.run(); strings.Contains(tr.String(), "2") {
						got += "UOR"[i : i+1]
					} else {
						got += "-"
					}
				}
				got += " "
			}
			if strings.TrimSpace(got) != test.want {
				t.Errorf("picked %s, want %s", got, test.want)
			}
		})
	}
}

// TestWhenJoins: a selector on the transport joins at BeforeRequest, one that
// reads the method directly before its own BeforeHandler; outside of its
// selection a hook is absent in every phase.
func TestWhenJoins(t *testing.T) {
	t.Parallel()
	unary := newRPC(interceptor.Unary)
	tail := " RX1 RX2 RX3 TX3 TX2 TX1 RS3 RS2 RS1 AR3 AR2 AR1"
	tests := []struct {
		name     string
		selector interceptor.Selector
		h2       funcsT
		want     string
	}{
		{"transport", interceptor.On(interceptor.GRPC), funcsT{}, "BR1 BR2 BR3 BH1 BH2 BH3" + tail},
		{"method", interceptor.Methods(unary.Name()), funcsT{}, "BR1 BR3 BH1 BR2 BH2 BH3" + tail},
		{"absent", interceptor.Services("other"), funcsT{}, "BR1 BR3 BH1 BH3 RX1 RX3 TX3 TX1 RS3 RS1 AR3 AR1"},
		{"late, rejects in BeforeRequest", interceptor.Methods(unary.Name()),
			funcsT{BeforeRequest: func(ctxT, *callT) (ctxT, error) { return nil, errDenied }},
			"BR1 BR3 BH1 BR2 OE3 OE1 RS3 RS1 AR3 AR1"},
		{"late, rejects in BeforeHandler", interceptor.Methods(unary.Name()),
			funcsT{BeforeHandler: func(ctxT, *callT, *methT) (ctxT, error) { return nil, errDenied }},
			"BR1 BR3 BH1 BR2 BH2 OE3 OE2 OE1 RS3 RS2 RS1 AR3 AR2 AR1"},
		{"late, answers in BeforeRequest", interceptor.Methods(unary.Name()),
			funcsT{BeforeRequest: func(ctx ctxT, c *callT) (ctxT, error) { return ctx, c.Reply(text("x")) }},
			"BR1 BR3 BH1 BR2 TX3 TX2 TX1 RS3 RS2 RS1 AR3 AR2 AR1"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			tr := &trace{}
			stack, _ := build(t, tr.hook("1", funcsT{}), interceptor.When(test.selector, tr.hook("2", test.h2)), tr.hook("3", funcsT{}))
			(&rig{stack: stack, method: unary}).run()
			wantTrace(t, tr, test.want)
		})
	}
}

// TestSelectorPanics: such a method is closed, not open.
func TestSelectorPanics(t *testing.T) {
	t.Parallel()
	stack, log := build(t, interceptor.When(interceptor.SelectFunc("bad", func(*methT) bool { panic("boom") }), interceptor.Base{}))
	o := (&rig{stack: stack, method: newRPC(interceptor.Unary)}).run()
	if o.reached || o.call.Code() != codes.Internal {
		t.Errorf("reached %v, code %v; want it closed", o.reached, o.call.Code())
	}
	wantText(t, log.String(), "boom", "is closed")
}

// checker is a MethodChecker that counts what it is shown.
type checker struct {
	interceptor.Base
	shown []string
	err   error
}

func (c *checker) CheckMethod(m *methT) error { c.shown = append(c.shown, m.Name()); return c.err }

// TestCheckMethod: each effective method once, whichever transports it has; an
// error closes the method, as INTERNAL whatever code it carries.
func TestCheckMethod(t *testing.T) {
	t.Parallel()
	check := &checker{}
	first, second := newRPC(interceptor.Unary), newRPC(interceptor.BidiStream)
	stack, log := build(t, interceptor.When(interceptor.Methods(first.Name()), check))
	for range 2 {
		for _, m := range []*methT{first, second} {
			for _, k := range []driver.Kind{driver.GRPC, driver.HTTP} {
				if err := ops.Prepare(stack, m, k); err != nil {
					t.Error(err)
				}
			}
		}
	}
	if len(check.shown) != 1 || check.shown[0] != first.Name() {
		t.Errorf("shown %v, want the one method once", check.shown)
	}
	check.err = interceptor.NewError(codes.InvalidArgument, "bad policy")
	closed := newRPC(interceptor.Unary)
	err := ops.Prepare(stack, closed, driver.GRPC)
	if err == nil || !errors.Is(err, check.err) || ops.Prepare(stack, closed, driver.HTTP) == nil {
		t.Errorf("Prepare gave %v; want the error on both transports", err)
	}
	o := (&rig{stack: stack, method: closed}).run()
	if o.reached || o.call.Code() != codes.Internal || interceptor.StatusOf(o.err).Message() != "internal error" {
		t.Errorf("reached %v, client got %v; want a bland INTERNAL", o.reached, interceptor.StatusOf(o.err))
	}
	wantText(t, log.String(), "is closed", "bad policy", "checker")
}

// TestExplain compares with testdata/explain.txt; -update rewrites it.
func TestExplain(t *testing.T) {
	t.Parallel()
	unary := newRPC(interceptor.Unary)
	stack, _ := build(t,
		interceptor.FromFuncs("log", funcsT{}),
		interceptor.As("tracing", interceptor.NotUsed("no exporter")),
		interceptor.When(interceptor.On(interceptor.HTTP), interceptor.FromFuncs("cors", funcsT{})),
		&decider{},
		interceptor.When(interceptor.Methods(unary.Name()), interceptor.FromFuncs("cache", funcsT{})),
		interceptor.When(interceptor.Not(interceptor.Services("engine.test.Echo")), interceptor.FromFuncs("rest", funcsT{})),
		wrap("broken", func(next handlerT) handlerT { return nil }),
	)
	got := stack.Explain(unary) + "\n" + stack.Explain(ops.NewRoute("GET /x")) + "\n" + stack.Explain(nil)
	path := filepath.Join("testdata", "explain.txt")
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}
