package telemetry

import (
	"maps"
	"strings"
	"sync"
	"sync/atomic"

	"go.opentelemetry.io/otel/attribute"
	"google.golang.org/grpc/codes"

	"github.com/crosscut-go/crosscut/interceptor"
)

// target is what spans and metrics are named by: an RPC, or an HTTP method on a
// route. There are only as many as registered methods and routes allow, and
// everything in them is made of what was registered, never of what a client
// sent. Each caches the attribute sets of its points.
type target struct {
	name     string               // of the span
	identity []attribute.KeyValue // for spans and metrics
	rpc      string               // "pkg.Service/Method" of a transcoded call, for spans
	series   atomic.Pointer[map[seriesKey]*series]
	opening  atomic.Pointer[opening] // of an RPC
}

// targets finds the target of a call.
type targets struct {
	unknownRPC *target
	verbs      map[string]*target // HTTP calls without a route, by method
	otherVerb  *target

	proxied   map[string]*target // what a proxy answers, by full name
	perMethod func(*interceptor.Method) *methodTargets

	mu    sync.Mutex
	known atomic.Pointer[map[string]*target] // RPCs by full name, as far as they are registered
}

// methodTargets are the targets of one method: one as an RPC, and one for each
// HTTP method and route that reach it.
type methodTargets struct {
	rpc    *target
	mu     sync.Mutex
	routes atomic.Pointer[map[routeKey]*target]
}

type routeKey struct{ verb, route string }

func (ts *targets) build(verbs, proxied []string) {
	ts.unknownRPC = rpcTarget(other)
	ts.unknownRPC.name = spanUnknown
	ts.proxied = map[string]*target{}
	for _, name := range proxied {
		ts.proxied[name] = rpcTarget(strings.TrimPrefix(name, "/"))
	}
	ts.otherVerb = httpTarget(other, "", "")
	ts.verbs = map[string]*target{}
	for _, v := range verbs {
		ts.verbs[v] = httpTarget(v, "", "")
	}
	ts.perMethod = interceptor.PerMethod(func(m *interceptor.Method) *methodTargets {
		name := rpcName(m)
		if name == "" {
			return &methodTargets{rpc: ts.unknownRPC}
		}
		return &methodTargets{rpc: rpcTarget(name)}
	})
}

func rpcTarget(name string) *target {
	return &target{name: name, identity: []attribute.KeyValue{keyRPCSystem.String(systemGRPC), keyRPCMethod.String(name)}}
}

// rpcName returns "pkg.Service/Method", or "" for what is no RPC: routes, and
// the user's own handler of unknown services, which may answer to any name.
func rpcName(m *interceptor.Method) string {
	name, ok := strings.CutPrefix(m.Name(), "/")
	if !ok || strings.Count(name, "/") != 1 || strings.HasSuffix(name, "/") {
		return ""
	}
	return name
}

func httpTarget(verb, route, rpc string) *target {
	t := &target{name: verb, rpc: rpc, identity: []attribute.KeyValue{keyHTTPMethod.String(verb)}}
	if verb == other {
		t.name = spanOtherVia
	}
	if route != "" {
		t.name += " " + route
		t.identity = append(t.identity, keyHTTPRoute.String(route))
	}
	return t
}

// beyond returns what identifies t and not o.
func (t *target) beyond(o *target) []attribute.KeyValue {
	if t == o {
		return nil
	}
	same := 0
	for same < min(len(t.identity), len(o.identity)) && t.identity[same] == o.identity[same] {
		same++
	}
	return t.identity[same:]
}

// learn notes a method's name for atStart. Servers call it at start-up, and for
// methods that they see later.
func (ts *targets) learn(m *interceptor.Method) {
	if rpcName(m) == "" {
		return
	}
	ts.mu.Lock()
	defer ts.mu.Unlock()
	next := map[string]*target{}
	if known := ts.known.Load(); known != nil {
		next = maps.Clone(*known)
	}
	next[m.Name()] = ts.perMethod(m).rpc
	ts.known.Store(&next)
}

// of returns the target of a call as far as it is known.
func (ts *targets) of(call *interceptor.Call) *target {
	if m := call.Method(); m != nil {
		return ts.resolved(call, m)
	}
	return ts.atStart(call)
}

// atStart returns the target that is known before the method is.
func (ts *targets) atStart(call *interceptor.Call) *target {
	if call.Transport() == interceptor.HTTP {
		if t, ok := ts.verbs[call.HTTPMethod()]; ok {
			return t
		}
		return ts.otherVerb
	}
	if known := ts.known.Load(); known != nil {
		if t, ok := (*known)[call.Path()]; ok {
			return t
		}
	}
	return ts.unregistered(call)
}

// unregistered returns the target of an RPC that no registered method answers.
func (ts *targets) unregistered(call *interceptor.Call) *target {
	if t, ok := ts.proxied[call.Path()]; ok {
		return t
	}
	return ts.unknownRPC
}

// resolved returns the target of a call whose method is known.
func (ts *targets) resolved(call *interceptor.Call, m *interceptor.Method) *target {
	per := ts.perMethod(m)
	if call.Transport() != interceptor.HTTP {
		if per.rpc == ts.unknownRPC {
			return ts.unregistered(call)
		}
		return per.rpc
	}
	route := call.Route()
	if route == "" {
		return ts.atStart(call)
	}
	verb := call.HTTPMethod()
	if _, ok := ts.verbs[verb]; !ok {
		verb = other
	}
	return per.route(routeKey{verb, route}, m)
}

// final returns the target of a call that has ended. A call that was refused
// before its method was resolved keeps the name that its path is registered by,
// unless there turned out to be no such method.
func (ts *targets) final(call *interceptor.Call) *target {
	if call.Method() == nil && call.Transport() != interceptor.HTTP && call.Code() == codes.Unimplemented {
		return ts.unknownRPC
	}
	return ts.of(call)
}

func (mt *methodTargets) route(key routeKey, m *interceptor.Method) *target {
	if found := mt.routes.Load(); found != nil {
		if t := (*found)[key]; t != nil {
			return t
		}
	}
	mt.mu.Lock()
	defer mt.mu.Unlock()
	next := map[routeKey]*target{}
	if found := mt.routes.Load(); found != nil {
		if t := (*found)[key]; t != nil {
			return t
		}
		next = maps.Clone(*found)
	}
	rpc := ""
	if m.Descriptor() != nil {
		rpc = rpcName(m)
	}
	t := httpTarget(key.verb, key.route, rpc)
	next[key] = t
	mt.routes.Store(&next)
	return t
}
