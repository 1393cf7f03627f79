package hostile_test

import (
	"flag"
	"slices"
	"strings"
	"testing"

	"google.golang.org/grpc/codes"

	"github.com/crosscut-go/crosscut/internal/racing"
)

// repetitions is how often a request is sent that must always have the same answer:
// that many times if its fields could be read in more than one order or place, and a
// tenth of that otherwise. With 10,000 no cheap row is sent fewer than 1,000 times.
var repetitions = flag.Int("hostile.repeat", 1000, "how often requests of the table are repeated")

// repeat is how often a row is sent through a door. Two servers and a client between
// them cost ten times what one server does.
func (r row) repeat(d door) int {
	n := *repetitions
	if testing.Short() {
		n = min(n, 20)
	}
	switch {
	case r.times > 0:
		n = n * r.times / 1000
	case !r.often:
		n /= 10
	}
	if d == dialled {
		n /= 10
	}
	if racing.Enabled {
		n /= 10
	}
	return max(1, n)
}

// judge sends a row through the site's door, again and again, and holds the server to
// what the row says and to what is true of every row:
//
//  1. A denied request reaches no handler, and nothing is decoded for it.
//  2. The decision is for the method in the log, which is the declared one.
//  3. Each repetition has the same answer, to the byte.
//  4. Every call that reached a hook has one record in the log, under the method's
//     declared name or "unknown".
//  5. No credential, and no eight bytes of one, are in anything the server says.
//  6. The client reads a fixed text, and nothing that it sent itself.
//  7. AfterResponse ran once for each hook that was entered, OnError at most once.
//  8. All calls are over. That no goroutine is left is for the end of all tests.
//
// What a denial costs is for TestDenialCost.
func (s *site) judge(t *testing.T, r row) {
	t.Helper()
	a, want, ok := r.over(s.door)
	if !ok {
		return
	}
	s.hide(a)
	s.out.hide(r.hide...)
	n := r.repeat(s.door)
	before := s.snapshot()
	c := s.client()
	first := c.ask(a)
	s.answered(t, first, want)
	s.silentAbout(t, a, first)
	for _, text := range r.unread {
		if strings.Contains(string(first.bytes()), text) {
			t.Errorf("the client reads %q: %s", text, first.bytes())
		}
	}
	for i := 1; i < n; i++ {
		if again := c.ask(a); again.text() != first.text() {
			t.Errorf("repetition %d was answered\n%s\nand the first\n%s", i, again.text(), first.text())
			break
		}
	}
	want.elsewhere = r.elsewhere
	checkAddress(t, s.did(t, before, want, n), r.seenFrom)
	if r.after != nil {
		r.after(t, s, first)
	}
	if want.code != codes.OK && !r.noGood {
		s.admits(t, r)
	}
}

// admits sends the row's request with a sufficient credential.
func (s *site) admits(t *testing.T, r row) {
	t.Helper()
	good, label := r.sufficient(s.door)
	s.hide(good)
	want := allowed.with(label)
	if s.door == inside {
		want = internal.with(label) // a gateway over the implementation itself runs no handler for anybody
	}
	before := s.snapshot()
	rep := s.client().ask(good)
	s.answered(t, rep, want)
	want.reads = true
	s.did(t, before, want, 1)
}

// snapshot is what a site has done so far.
type snapshot struct {
	handled, decoded int64
	calls            int
}

func (s *site) snapshot() snapshot {
	snap := snapshot{handled: s.service.handled.Load(), decoded: s.decoded.Load()}
	for _, w := range s.watches[:min(1, len(s.watches))] {
		snap.calls, _ = w.settle()
	}
	s.out.take()
	return snap
}

// hide makes the credentials of a request secrets.
func (s *site) hide(a ask) {
	for _, f := range a.fields {
		if secret := credentialIn(f); secret != "" {
			s.out.hide(secret)
		}
	}
}

// answered compares an answer with the outcome.
func (s *site) answered(t *testing.T, got reply, want outcome) {
	t.Helper()
	switch {
	case want.reset != nil:
		if got.reset == nil || *got.reset != *want.reset {
			t.Errorf("answered %s, want the stream reset with %v", got.text(), *want.reset)
		}
		return
	case want.closed:
		if !got.closed {
			t.Errorf("answered %s, want none", got.text())
		}
		return
	case got.closed:
		t.Error("the server closed the connection without an answer")
		return
	case want.plain:
		if got.status != want.status {
			t.Errorf("answered %d, want %d", got.status, want.status)
		}
		return
	case s.door.rpc() && got.code() != want.code:
		t.Errorf("answered %v %q (HTTP status %d), want %v", got.code(), got.message(), got.status, want.code)
	case !s.door.rpc() && got.status != want.status:
		t.Errorf("answered %d %q, want %d", got.status, got.body, want.status)
	}
	if want.text != "" && got.message() != want.text {
		t.Errorf("the client reads %q, want %q", got.message(), want.text)
	}
	challenges := got.header.Values("Www-Authenticate")
	if want.code == codes.Unauthenticated != slices.Contains(challenges, "Bearer") {
		t.Errorf("the challenges are %q", challenges)
	}
	for name, value := range want.also {
		if got.header.Get(name) != value {
			t.Errorf("%s is %q, want %q", name, got.header.Get(name), value)
		}
	}
}

// silentAbout fails if the client reads anything back that it sent as a field.
func (s *site) silentAbout(t *testing.T, a ask, got reply) {
	t.Helper()
	b := got.bytes()
	if part := s.out.leaksIn(b); part != "" {
		t.Errorf("the answer has %q, which is part of a credential: %s", part, b)
	}
	for _, f := range a.fields {
		_, value, _ := strings.Cut(f, ": ")
		if len(value) >= window && !strings.HasPrefix(value, "application/") && strings.Contains(string(b), value) && got.status >= 400 {
			t.Errorf("the answer repeats %q: %s", value, b)
		}
	}
}

// did compares what n requests made the server do with the outcome.
func (s *site) did(t *testing.T, before snapshot, want outcome, n int) (last record) {
	t.Helper()
	if s.stack == nil {
		return record{}
	}
	perRequest := 1
	if s.door == dialled && want.code == codes.OK && want.status == 200 {
		perRequest = 2 // a denial needs no second server
	}
	if want.silent {
		perRequest = 0
	}
	var calls int
	for _, w := range s.watches {
		seen, faults := w.settle()
		if w == s.watches[0] {
			calls = seen - before.calls
		}
		if len(faults) > 0 {
			t.Errorf("phases: %q", faults)
		}
	}
	if calls != n*perRequest {
		t.Errorf("%d requests were %d calls, want %d", n, calls, n*perRequest)
	}
	last = s.said(t, want, n*perRequest)
	handled, decoded := s.service.handled.Load()-before.handled, s.decoded.Load()-before.decoded
	if want.runs || want.code == codes.OK && want.status == 200 {
		if handled != int64(n) && !want.elsewhere {
			t.Errorf("the handler ran %d times, want %d", handled, n)
		}
		return last
	}
	if handled != 0 {
		t.Errorf("the handler ran %d times for what is refused", handled)
	}
	if decoded != 0 && !want.reads {
		t.Errorf("%d messages were decoded for what is refused", decoded)
	}
	return last
}

// said holds what the server told its operator to one record per call.
func (s *site) said(t *testing.T, want outcome, calls int) record {
	t.Helper()
	records, last, lines, leaks := s.out.take()
	s.last = strings.Join(lines, "")
	if len(leaks) > 0 {
		t.Errorf("a credential is in the output: %s", leaks[0])
	}
	for label, n := range records {
		if label != want.label || n != calls {
			t.Errorf("%d records are about the method %q, want %d about %q: %s", n, label, calls, want.label, lines[max(0, len(lines)-1):])
		}
	}
	if len(records) == 0 && calls > 0 {
		t.Errorf("%d calls left no record", calls)
	}
	if (want.code == codes.PermissionDenied || want.code == codes.Unauthenticated) && calls > 0 && last.Denied == want.agreed {
		t.Errorf("the record does not say that the call was denied: %s", lines[max(0, len(lines)-1):])
	}
	return last
}
