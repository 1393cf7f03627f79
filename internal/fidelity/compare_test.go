package fidelity_test

import (
	"flag"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/crosscut-go/crosscut/interceptor"
)

// way is one way to wrap a server. The server without a stack that it is compared
// with is its own: a mux redirects and a bare handler does not.
type way[Subject any] struct {
	name string
	// once asks for the last of the stacks only, where the others tell no more than
	// on another way.
	once bool
	bare func(c *conversation, s Subject) *site
	// wrapped makes the same server inside a stack.
	wrapped func(c *conversation, s Subject, in *interceptor.Stack) *site
}

// scenario is one conversation to hold. The subject is what is served.
type scenario[Subject any] struct {
	name    string
	subject Subject
	talk    func(c *conversation, s *site)
}

// site is a running server.
type site struct {
	addr string
	// shutdown stops the server when what runs has ended.
	shutdown func()
	// stop waits until all handlers have returned.
	stop func()
}

// hold has the conversation with one server.
func hold[S any](t *testing.T, sc scenario[S], start func(c *conversation) *site) []string {
	t.Helper()
	c := &conversation{T: t}
	s := start(c)
	sc.talk(c, s)
	s.stop()
	return c.lines()
}

// compare holds every conversation with every server.
func compare[S any](t *testing.T, family string, ways []way[S], scenarios []scenario[S]) {
	t.Helper()
	for _, sc := range scenarios {
		t.Run(sc.name, func(t *testing.T) {
			t.Parallel()
			for _, w := range ways {
				compareWay(t, family, w, sc)
			}
		})
	}
}

func compareWay[S any](t *testing.T, family string, w way[S], sc scenario[S]) {
	t.Helper()
	var bare []string
	if !t.Run(w.name+"/bare", func(t *testing.T) {
		bare = hold(t, sc, func(c *conversation) *site { return w.bare(c, sc.subject) })
	}) {
		return
	}
	in := stacks
	if w.once {
		in = in[len(in)-1:]
	}
	for _, in := range in {
		t.Run(w.name+"/"+in.name, func(t *testing.T) {
			lines := hold(t, sc, func(c *conversation) *site { return w.wrapped(c, sc.subject, in.make()) })
			theReport.record(t, result{
				name: family + "/" + sc.name, variant: w.name + "/" + in.name,
				bare: withoutID(bare), wrapped: withoutID(lines),
			})
		})
	}
}

// result is one conversation held twice.
type result struct {
	name, variant string
	bare, wrapped []string
}

// report collects all results of the test binary.
type report struct {
	mu         sync.Mutex
	names      map[string]bool
	explained  map[string][]string // by name, what the entries that explain it hold for
	wireTrace  bool                // a bare gateway has told of its wire
	held       int                 // conversations with wrapped servers
	equal      int
	deliberate int
	unexpected []string
}

var theReport = &report{names: map[string]bool{}, explained: map[string][]string{}}

// record judges a result: the two sides are equal, or differ as listed.
func (r *report) record(t *testing.T, got result) {
	t.Helper()
	diff := difference(withoutUseless(got), got.wrapped)
	d := deliberateFor(got)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.names[got.name] = true
	r.wireTrace = r.wireTrace || slices.Contains(got.bare, wireTrace)
	r.held++
	switch {
	case diff == "" && d == nil:
		r.equal++
	case d != nil && d.describes(diff):
		r.deliberate++
		r.explained[got.name] = append(r.explained[got.name], d.only)
	case d != nil:
		r.unexpected = append(r.unexpected, got.name+" "+got.variant)
		t.Errorf("%s, %s: listed among the deliberate differences, but\n-%q\n+%q\nare not how they differ (- bare, + wrapped):%s", got.name, got.variant, d.bare, d.wrapped, diff)
	default:
		r.unexpected = append(r.unexpected, got.name+" "+got.variant)
		t.Errorf("%s, %s: the wrapped server differs (- bare, + wrapped):%s", got.name, got.variant, diff)
	}
}

// checkList fails for entries of the list that no case has been compared with.
func (r *report) checkList(t *testing.T) {
	t.Helper()
	for _, d := range differences {
		for _, name := range d.cases {
			if !slices.Contains(r.explained[name], d.only) {
				t.Errorf("%s is listed among the deliberate differences (only %q), but no conversation differs so; remove the entry", name, d.only)
			}
		}
	}
	if !r.wireTrace {
		t.Errorf("no bare gateway says %q any more; remove withoutUseless", wireTrace)
	}
}

func (r *report) String() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var out strings.Builder
	fmt.Fprintf(&out, "difference report: %d cases, %d conversations with wrapped servers: %d equal, %d differ on purpose, %d differ otherwise",
		len(r.names), r.held, r.equal, r.deliberate, len(r.unexpected))
	for _, name := range r.unexpected {
		fmt.Fprintf(&out, "\n\t%s", name)
	}
	return out.String()
}

// TestFidelity holds every conversation with bare and wrapped servers and prints
// the difference report.
func TestFidelity(t *testing.T) {
	t.Run("cases", func(t *testing.T) {
		for _, f := range families {
			t.Run(f.name, func(t *testing.T) { f.compare(t, f.name) })
		}
	})
	if flag.Lookup("test.run").Value.String() == "" {
		theReport.checkList(t)
	}
	t.Log(theReport)
	t.Log(listOfDeliberate())
}

// families are all tables of cases.
var families = []struct {
	name    string
	compare func(t *testing.T, name string)
}{
	{"http", func(t *testing.T, name string) { compare(t, name, httpWays, httpScenarios()) }},
	{"grpc", func(t *testing.T, name string) { compare(t, name, grpcWays, append(grpcFrames(), onlyWire...)) }},
	{"rest", func(t *testing.T, name string) { compare(t, name, restWays, restScenarios()) }},
	{"client", func(t *testing.T, name string) { compare(t, name, grpcWays, clientScenarios()) }},
	{"mounted client", func(t *testing.T, name string) { compare(t, name, mountedWays, clientScenarios()) }},
	{"mounted", func(t *testing.T, name string) { compare(t, name, mountedWays, grpcFrames()) }},
}
