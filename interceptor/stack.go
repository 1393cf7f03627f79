package interceptor

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"strings"
	"sync"

	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/crosscut-go/crosscut/internal/driver"
)

// Stack is an ordered list of hooks, checked and ready to run. It is immutable
// and safe for concurrent use by any number of servers; adapters take it. Only
// layers with the same *Stack make one call of a request, so a server normally
// has one. The stack recovers panics of hooks and handlers by itself.
type Stack struct {
	listed  []Hook
	entries []*entry
	skipped []skipped
	report  func(context.Context, *Call, error)

	// unresolved are the plans of calls whose method is not known (yet).
	unresolved [driver.Kinds]*plan

	mu     sync.Mutex
	chains map[string]Handler // built WrapHandler chains, one per distinct list
}

// entry is one hook of a stack with what the stack found out about it.
type entry struct {
	hook    Hook
	lacks   phases
	decides bool
	index   int32
	name    string
	scope   []*whenHook // the Whens around it, outermost first

	messages MessageHook
	response ResponseHook
	handler  HandlerHook
	requires []AnyKey
	provides []AnyKey
	planner  MethodPlanner
	checker  MethodChecker
	demander Demander
	enforces []protoreflect.FullName
	last     LastDecider
	funcs    Funcs
	isFuncs  bool
}

// phases are some of the four of [Hook].
type phases uint8

const (
	beforeRequest phases = 1 << iota
	beforeHandler
	onError
	afterResponse
)

type skipped struct{ name, reason string }

// New builds a stack of hooks, the first of them outermost. The error reports
// every problem at once, each naming the hook and the fix: nil hooks, duplicate
// names, keys that no earlier hook provides, and methods that look like an
// optional interface but do not implement it.
func New(hooks ...Hook) (*Stack, error) {
	s := &Stack{listed: append([]Hook(nil), hooks...), report: reportToSlog, chains: map[string]Handler{}}
	var problems []error
	s.flatten(hooks, nil, &problems)
	problems = append(problems, s.checkNames()...)
	problems = append(problems, s.checkKeys()...)
	if err := errors.Join(problems...); err != nil {
		return nil, err
	}
	for k := range s.unresolved {
		s.unresolved[k] = s.compile(nil, driver.Kind(k))
	}
	return s, nil
}

// MustNew is [New] for stacks that are fixed in the program: it panics where New
// returns an error, with the same text.
func MustNew(hooks ...Hook) *Stack {
	s, err := New(hooks...)
	if err != nil {
		panic(err.Error())
	}
	return s
}

// With returns another stack: the hooks of s with more hooks inside of them. It
// fails as [New] does. s is unchanged, and a call of s is not a call of the new
// stack.
func (s *Stack) With(more ...Hook) (*Stack, error) {
	next, err := New(append(append([]Hook(nil), s.listed...), more...)...)
	if err != nil {
		return nil, err
	}
	next.report = s.report
	return next, nil
}

// ReportTo returns a copy of the stack that tells the operator through report
// instead of slog's default logger: panics, misuse by hooks, failures after the
// first one and whatever else no client may see. report may be called by many
// goroutines at once, and must not block; call is nil for problems outside of
// calls. A nil report drops the reports.
func (s *Stack) ReportTo(report func(ctx context.Context, call *Call, err error)) *Stack {
	next, err := s.With()
	if err != nil { // the same hooks were accepted before
		panic(err)
	}
	if report == nil {
		report = func(context.Context, *Call, error) {}
	}
	next.report = report
	return next
}

func reportToSlog(ctx context.Context, call *Call, err error) {
	attrs := []slog.Attr{slog.String("method", call.Method().Name()), slog.Any("error", err)}
	var p *PanicError
	if errors.As(err, &p) {
		attrs = append(attrs, slog.String("stack", string(p.Stack)))
	}
	message := "crosscut: a call hit a bug"
	if call == nil {
		message, attrs = "crosscut: a problem outside of calls", attrs[1:]
	}
	slog.LogAttrs(ctx, slog.LevelError, message, attrs...)
}

// tell reports err and survives a reporter that panics.
func (s *Stack) tell(ctx context.Context, c *Call, err error) {
	if s == nil || err == nil {
		return
	}
	defer func() { _ = recover() }() // there is nobody left to tell
	s.report(ctx, c, err)
}

func (s *Stack) flatten(hooks []Hook, scope []*whenHook, problems *[]error) {
	for i, h := range hooks {
		name := ""
		if isNil(h) {
			*problems = append(*problems, fmt.Errorf("crosscut: hook %d of the list%s is nil; leave it out, or return NotUsed(reason) from its constructor", i+1, scopeText(scope)))
			continue
		}
		for {
			r, ok := h.(*renamed)
			if !ok {
				break
			}
			if name == "" {
				name = r.name
			}
			if h = r.Hook; isNil(h) {
				h = nil
			}
		}
		switch h := h.(type) {
		case nil:
			*problems = append(*problems, fmt.Errorf("crosscut: As(%q, nil): there is no hook to rename", name))
		case *whenHook:
			if name != "" {
				*problems = append(*problems, fmt.Errorf("crosscut: As(%q, When(…)): rename the hooks inside When instead", name))
			}
			if err := h.check(); err != nil {
				*problems = append(*problems, err)
			}
			s.flatten(h.hooks, append(scope[:len(scope):len(scope)], h), problems)
		case *notUsed:
			if name == "" {
				name = fmt.Sprintf("hook %d", i+1)
			}
			s.skipped = append(s.skipped, skipped{name, h.reason})
		default:
			s.add(h, name, scope, problems)
		}
	}
}

func (s *Stack) add(h Hook, name string, scope []*whenHook, problems *[]error) {
	if name == "" {
		name = defaultName(h)
	}
	e := &entry{hook: h, name: name, index: int32(len(s.entries)), scope: scope}
	if f, ok := h.(*funcsHook); ok {
		e.useFuncs(f)
	} else {
		*problems = append(*problems, e.useInterfaces()...)
	}
	s.entries = append(s.entries, e)
}

func (e *entry) useFuncs(f *funcsHook) {
	e.funcs, e.isFuncs, e.lacks = f.funcs, true, 0
	for phase, there := range map[phases]bool{
		beforeRequest: f.funcs.BeforeRequest != nil,
		beforeHandler: f.funcs.BeforeHandler != nil,
		onError:       f.funcs.OnError != nil,
		afterResponse: f.funcs.AfterResponse != nil,
	} {
		if !there {
			e.lacks |= phase
		}
	}
	if f.funcs.OnReceive != nil || f.funcs.OnSend != nil {
		e.messages = funcsMessages{f}
	}
	if f.funcs.BeforeResponse != nil {
		e.response = funcsResponse{f}
	}
	if f.funcs.WrapHandler != nil {
		e.handler = funcsHandler{f}
	}
}

func isNil(h Hook) bool {
	if h == nil {
		return true
	}
	v := reflect.ValueOf(h)
	return (v.Kind() == reflect.Pointer || v.Kind() == reflect.Func) && v.IsNil()
}

func defaultName(h Hook) string {
	if n, ok := h.(Named); ok {
		return n.Name()
	}
	return strings.TrimPrefix(reflect.TypeOf(h).String(), "*")
}

func scopeText(scope []*whenHook) string {
	if len(scope) == 0 {
		return ""
	}
	return " in " + scope[len(scope)-1].String()
}

func (s *Stack) checkNames() (problems []error) {
	seen := map[string]bool{}
	for _, e := range s.entries {
		if e.name == "" {
			problems = append(problems, fmt.Errorf("crosscut: hook %d (%T) has an empty name; Name and FromFuncs need one", e.index+1, e.hook))
		} else if seen[e.name] {
			problems = append(problems, fmt.Errorf("crosscut: two hooks are named %q; rename one of them with As", e.name))
		}
		seen[e.name] = true
	}
	return problems
}
