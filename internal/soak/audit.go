package main

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"google.golang.org/grpc/codes"
)

// audit is what the book says.
type audit struct {
	asked     int // calls that there is room for in the book
	made      int // calls that clients made, fewer if the time was up
	begun     int // calls that the server began
	late      int // calls whose deadline had passed when they arrived
	entered   int // hooks of the book that were entered
	ended     int // hooks of the book that were told the outcome
	outcomes  int // calls whose client got an outcome
	panics    int // calls in which a handler or a hook panicked
	strange   int
	table     map[string]*[numActs]int // calls by way and act
	problems  int
	firstFew  []string
	exchanges []string // the ways in the order of exchanges
}

// audit reads all records. The calls must have ended.
func (b *book) audit() *audit {
	a := &audit{asked: len(b.records), made: int(b.issued.Load()), strange: int(b.strange.Load()), table: map[string]*[numActs]int{}}
	for _, e := range exchanges {
		if a.table[e.way] == nil {
			a.table[e.way] = new([numActs]int)
			a.exchanges = append(a.exchanges, e.way)
		}
	}
	for id := range b.records[:a.made] {
		a.add(id, &b.records[id])
	}
	if a.made == 0 {
		a.problem("no calls were made")
	}
	if a.strange > 0 {
		a.problem("%d calls of the server were not made by a client", a.strange)
	}
	return a
}

func (a *audit) add(id int, r *record) {
	e := exchanges[r.sort.exchange]
	a.table[e.way][r.sort.act]++
	if r.sort.act == crash || r.sort.act == stumble {
		a.panics++
	}
	a.outcomes += int(r.client.count.Load())
	a.begun += int(r.entered[0].Load())
	for i := range bookHooks {
		entered, ended := r.entered[i].Load(), r.ended[i].Load()
		a.entered += int(entered)
		a.ended += int(ended)
		if entered != ended || entered > 1 {
			a.problem("call %d (%s %s, %s): hook %d was entered %d times and told the outcome %d times", id, e.way, e.shape, r.sort.act, i, entered, ended)
		}
	}
	if n := r.client.count.Load(); n != 1 {
		a.problem("call %d (%s %s, %s): its client got %d outcomes", id, e.way, e.shape, r.sort.act, n)
	}
	if r.entered[0].Load() == 0 && r.sort.act == expire && r.client.is(codes.DeadlineExceeded) {
		a.late++ // it never reached the hooks, and its client knows
		return
	}
	if wrong := r.disagreement(); wrong != "" {
		a.problem("call %d (%s %s, %s): %s", id, e.way, e.shape, r.sort.act, wrong)
	}
}

// disagreement says how the two sides of a call differ, from each other or from
// what was to become of the call.
func (r *record) disagreement() string {
	if n := r.server.count.Load(); n != 1 {
		return fmt.Sprintf("the server gave %d outcomes", n)
	}
	want := acts[r.sort.act].code
	server, client := codes.Code(r.server.code.Load()), codes.Code(r.client.code.Load())
	said := fmt.Sprintf("want %v; the server says %v, HTTP %d; the client got %v, HTTP %d", want, server, r.server.http.Load(), client, r.client.http.Load())
	switch {
	case r.cut.Load(): // a broken response tells the client that the call failed, and nothing else
		if server == want && want != codes.OK {
			return ""
		}
		return said
	case client != want:
		return said
	case r.sort.act == leave || r.sort.act == expire:
		// Whichever of the two sides notices the end first, neither may take it for a success.
		if server == codes.Canceled || server == codes.DeadlineExceeded {
			return ""
		}
		return said
	case server != want || r.server.http.Load() != r.client.http.Load():
		return said
	}
	return ""
}

func (v *verdict) is(code codes.Code) bool { return codes.Code(v.code.Load()) == code }

// checkReports compares the panics with what the operator was told.
func (a *audit) checkReports(reported int64) {
	if int64(a.panics) != reported {
		a.problem("%d calls panicked, and the stack reported %d errors", a.panics, reported)
	}
}

// checkSignals compares the calls with what the log, the traces and the metrics say.
func (a *audit) checkSignals(c counts) {
	calls := int64(a.begun + a.strange)
	if c != (counts{calls, calls, calls, calls}) {
		a.problem("of %d calls there are %d log records, %d spans of which %d have ended, and %d points of histograms; want one each", calls, c.records, c.started, c.ended, c.points)
	}
}

// few is how many problems are shown.
const few = 10

func (a *audit) problem(format string, args ...any) {
	a.problems++
	if len(a.firstFew) < few {
		a.firstFew = append(a.firstFew, fmt.Sprintf(format, args...))
	}
}

// err returns the problems, or nil.
func (a *audit) err() error {
	if a.problems == 0 {
		return nil
	}
	return fmt.Errorf("%d problems, the first of them:\n%s", a.problems, strings.Join(a.firstFew, "\n"))
}

// print writes the figures.
func (a *audit) print(out io.Writer, l load) {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	_, _ = fmt.Fprint(w, "calls\t")
	for act := range numActs {
		_, _ = fmt.Fprint(w, act, "\t")
	}
	_, _ = fmt.Fprintln(w)
	for _, way := range a.exchanges {
		_, _ = fmt.Fprint(w, way, "\t")
		for _, n := range a.table[way] {
			_, _ = fmt.Fprint(w, n, "\t")
		}
		_, _ = fmt.Fprintln(w)
	}
	_ = w.Flush() // to the same place as everything else
	_, _ = fmt.Fprintf(out, "%d of %d calls made in %v, %.0f a second\n", a.made, a.asked, l.took.Round(time.Millisecond), float64(a.made)/l.took.Seconds())
	_, _ = fmt.Fprintf(out, "%d calls begun by the server + %d that arrived after their deadline = %d outcomes of clients\n", a.begun, a.late, a.outcomes)
	_, _ = fmt.Fprintf(out, "%d hooks entered = %d AfterResponse, each once\n", a.entered, a.ended)
	_, _ = fmt.Fprintf(out, "%d panics = %d reports to the operator\n", a.panics, l.reported)
	_, _ = fmt.Fprintf(out, "%d log records, %d spans, %d points of histograms\n", l.signals.records, l.signals.ended, l.signals.points)
	_, _ = fmt.Fprintf(out, "%d problems\n", a.problems)
}
