package hostile_test

import (
	"log/slog"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/crosscut-go/crosscut/builtin/logging"
	pb "github.com/crosscut-go/crosscut/proto/crosscut/hostile/v1"
)

// TestPayloads is H59 and the rest of H55 with payload logging: a redacted field is in
// no record, and what a message holds is one escaped field of one record.
func TestPayloads(t *testing.T) {
	t.Parallel()
	forgery := create
	forgery.msg = &pb.CreateRequest{Id: "1", Content: "x\r\n{\"msg\":\"admin login ok\"}\x1b[31m\u202e"}
	forgery.json = `{"id":"1","content":"x\r\n{\"msg\":\"admin login ok\"}\u001b[31m\u202e"}`
	for _, d := range []door{wire, mounted, rest, restMux} {
		s := newSite(t, d, options{log: []logging.Option{logging.Payloads(slog.LevelDebug)}})
		for _, r := range textRows() {
			if strings.HasPrefix(r.name, "H59") {
				r.times = 50
				s.judge(t, r)
			}
		}
		s.judge(t, row{name: "H55", call: forgery, fields: []string{bearer(writer())}, want: allowed, times: 50, after: func(t *testing.T, s *site, _ reply) {
			t.Helper()
			for _, text := range []string{"\x1b", "\r"} {
				if strings.Contains(s.last, text) {
					t.Errorf("a record has %q as it is: %q", text, s.last)
				}
			}
			if !strings.Contains(s.last, "admin login ok") {
				t.Errorf("the payload is not in %q", s.last)
			}
		}})
	}
}

// TestLabels is H56: what callers make up is no label of anything.
func TestLabels(t *testing.T) {
	t.Parallel()
	for _, d := range []door{wire, mounted, rest, restMux, plain} {
		t.Run(string(d), func(t *testing.T) {
			t.Parallel()
			s := newSite(t, d, options{})
			c := s.client()
			n := 10 * (row{}).repeat(d)
			for range n {
				word := func() string { return strings.Repeat(string('A'+rune(rand.IntN(26))), 1+rand.IntN(40)) }
				a := ask{verb: word(), target: "/" + word() + "/" + word(), fields: []string{"user-agent: " + word()}}
				if d.rpc() {
					a.fields = append(a.fields, "content-type: application/grpc", "te: trailers")
				} else {
					a.fields = append(a.fields, "content-type: "+word()+"/"+word())
				}
				if rep := c.ask(a); d.rpc() && rep.code() != unknownMethod.code || !d.rpc() && rep.status != 404 && rep.status != 405 {
					t.Fatalf("%s %s: %s", a.verb, a.target, rep.text())
				}
			}
			s.watches[0].settle()
			s.out.mu.Lock()
			defer s.out.mu.Unlock()
			if len(s.out.records) != 1 || s.out.records["unknown"] != n || len(s.out.verbs) > 1 {
				t.Errorf("%d requests have the labels %v and %v", n, s.out.records, s.out.verbs)
			}
		})
	}
}
