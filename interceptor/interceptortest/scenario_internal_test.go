package interceptortest

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc/codes"

	"github.com/crosscut-go/crosscut/interceptor"
)

// scenario is a script for the hooks H1, H2, H3 and the handler, and what must
// come of it on every transport.
type scenario struct {
	name string
	on   on
	only func(*way) bool // nil: every way

	unknown     bool // call what does not exist
	undecodable bool // send what cannot be decoded
	again       bool // make a second call, of which the same is expected
	lost        bool // the client has left and gets no code
	timed       bool // the client has a deadline that passes soon
	patient     bool // try again with a later deadline if the handler was not reached in time

	hooks   func(p *play) []interceptor.Hook // nil: H1, H2, H3
	want    string                           // the trace on transports with messages
	code    codes.Code                       // what hooks and client get
	replies []string                         // what the client gets; nil is not compared
	message string                           // the error's public text; "" is not compared
	reports string                           // part of what the operator is told; "" is nothing

	check func(t *testing.T, s *staged)
}

// staged is a scenario after its performance.
type staged struct {
	*outcome
	play   *play
	record *record // of the first call
	client *answer
}

// fact returns what was seen in a step.
func (s *staged) fact(t *testing.T, at string) fact {
	t.Helper()
	for _, f := range s.play.facts[s.record.call] {
		if f.at == at {
			return f
		}
	}
	t.Errorf("%s did not run", at)
	return fact{}
}

// facts are what was seen in the steps that ran.
func (s *staged) facts() []fact { return s.play.facts[s.record.call] }

// headers checks the values of a key that the client got.
func (s *staged) headers(t *testing.T, key string, want ...string) {
	t.Helper()
	if got := s.client.headers(key); !slices.Equal(got, want) {
		t.Errorf("the client got %s %q, want %q", key, got, want)
	}
}

// TestScenarios performs every scenario on every transport.
func TestScenarios(t *testing.T) {
	t.Parallel()
	for i := range scenarios {
		sc := &scenarios[i]
		t.Run(sc.name, func(t *testing.T) {
			t.Parallel()
			for _, w := range ways {
				expected := sc.differently(w)
				if expected == nil || sc.only != nil && !sc.only(w) {
					continue
				}
				t.Run(w.name, func(t *testing.T) { expected.perform(t, w) })
			}
		})
	}
}

// perform runs the scenario on one way and compares.
func (sc *scenario) perform(t *testing.T, w *way) {
	p, o := sc.stage(t, w, 2*time.Millisecond)
	for wait := 10 * time.Millisecond; sc.tooEarly(o) && wait < patience; wait *= 3 {
		p, o = sc.stage(t, w, wait)
	}
	if len(o.records) != len(o.answers) {
		t.Fatalf("%s: %d calls were seen by hooks or handler, want %d: %s", sc.name, len(o.records), len(o.answers), o.traces())
	}
	for i, r := range o.records {
		s := &staged{outcome: o, play: p, record: r, client: o.answers[i]}
		sc.compare(t, s)
		if sc.check != nil {
			sc.check(t, s)
		}
	}
	sc.compareReports(t, o.reports)
}

// tooEarly tells whether a deadline was so short that the scenario did not happen:
// it passed before the handler was reached, or the client's clock, which began to
// run earlier, was ahead of the server's by a good part of it. Then a later one
// decides.
func (sc *scenario) tooEarly(o *outcome) bool {
	return sc.patient && (!o.reached() || sc.timed && o.records[0].call.Code() == codes.Canceled)
}

// stage performs the scenario once.
func (sc *scenario) stage(t *testing.T, w *way, deadline time.Duration) (*play, *outcome) {
	t.Helper()
	p := newPlay(w, sc.on)
	p.deadline = deadline
	hooks := []interceptor.Hook{p.hook("1"), p.hook("2"), p.hook("3")}
	if sc.hooks != nil {
		hooks = sc.hooks(p)
	}
	x := exchange{text: "hello", unknown: sc.unknown, undecodable: sc.undecodable, cancel: p.gone}
	if sc.timed {
		x.timeout = deadline
	}
	o, err := trial{
		hooks: hooks, do: p.handle, rec: p.rec,
		calls: func(ctx context.Context, s *site) []*answer {
			answers := []*answer{s.send(ctx, x)}
			if sc.again {
				answers = append(answers, s.send(ctx, x))
			}
			return answers
		},
	}.run(t.Context(), w)
	if err != nil {
		t.Fatal(err)
	}
	return p, o
}

func (o *outcome) reached() bool { return len(o.records) > 0 && o.records[0].reached }

func (o *outcome) traces() string {
	var all []string
	for _, r := range o.records {
		all = append(all, notation(r.trace))
	}
	return strings.Join(all, " | ")
}

// compare checks what must hold in every scenario.
func (sc *scenario) compare(t *testing.T, s *staged) {
	t.Helper()
	if got, want := notation(s.record.trace), sc.trace(s.way); got != want {
		t.Errorf("\n scenario %s\ntransport %s\n expected %s\n   actual %s\n   client %v %q, HTTP status %d", sc.name, s.way.name, want, got, s.client.code(), s.client.status.Message(), s.client.httpStatus)
	}
	if s.record.started && !strings.Contains(sc.want, "BH123") && sc.hooks == nil {
		t.Errorf("%s: the handler began although not every hook had let the call pass", sc.name)
	}
	if !sc.lost {
		sc.compareClient(t, s)
	}
	for _, f := range s.facts() {
		if strings.HasPrefix(f.at, ar) {
			sc.compareOutcome(t, s, f)
		}
	}
}

func (sc *scenario) compareClient(t *testing.T, s *staged) {
	t.Helper()
	if got := s.client.code(); got != sc.code {
		t.Errorf("%s: the client got %v (%v), want %v", sc.name, got, s.client.err, sc.code)
	}
	if got := s.client.texts; sc.replies != nil && !slices.Equal(got, sc.replies) {
		t.Errorf("%s: the client got messages %q, want %q", sc.name, got, sc.replies)
	}
	if got := s.client.status.Message(); sc.message != "" && got != sc.message {
		t.Errorf("%s: the client got the text %q, want %q", sc.name, got, sc.message)
	}
	if text := s.client.status.Message() + s.client.body; strings.Contains(text, errCause.Error()) || strings.Contains(text, "confidential") {
		t.Errorf("%s: the client reads %q, which was for operators", sc.name, text)
	}
}

// compareOutcome checks that an AfterResponse saw what the client got.
func (sc *scenario) compareOutcome(t *testing.T, s *staged, f fact) {
	t.Helper()
	if f.code != sc.code {
		t.Errorf("%s: %s saw %v (%v), want %v", sc.name, f.at, f.code, f.err, sc.code)
	}
	if f.httpStatus != s.client.httpStatus && !sc.lost {
		t.Errorf("%s: %s saw HTTP status %d, but the client got %d", sc.name, f.at, f.httpStatus, s.client.httpStatus)
	}
}

func (sc *scenario) compareReports(t *testing.T, reports []error) {
	t.Helper()
	switch {
	case sc.reports == "":
		if len(reports) > 0 {
			t.Errorf("%s: the operator was told %v, want nothing", sc.name, reports)
		}
	case len(reports) == 0 || !strings.Contains(errors.Join(reports...).Error(), sc.reports):
		t.Errorf("%s: the operator was told %v, want something with %q", sc.name, reports, sc.reports)
	}
}

// trace is the expected trace on a way: plain routes have no messages.
func (sc *scenario) trace(w *way) string {
	if !w.plain() {
		return sc.want
	}
	words := slices.DeleteFunc(strings.Fields(sc.want), func(word string) bool {
		return strings.HasPrefix(word, rx) || strings.HasPrefix(word, tx)
	})
	return strings.Join(words, " ")
}
