package hostile_test

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"

	"github.com/crosscut-go/crosscut/builtin/authn"
	"github.com/crosscut-go/crosscut/builtin/authn/jwt"
	"github.com/crosscut-go/crosscut/interceptor"
	"github.com/crosscut-go/crosscut/internal/tokentest"
)

// TestCatchAll is H06: the handler that a program installed for services it does not
// know is a method that nobody declared.
func TestCatchAll(t *testing.T) {
	t.Parallel()
	other := row{name: "H06", call: remove, path: "POST /other.v1.Svc/Do", fields: []string{bearer(admin())}, noGood: true}
	for _, d := range []door{wire, mounted} {
		var ran atomic.Int64
		s := newSite(t, d, options{grpc: []grpc.ServerOption{grpc.UnknownServiceHandler(func(any, grpc.ServerStream) error {
			ran.Add(1)
			return nil
		})}})
		other.want = denied.with("grpc:*")
		s.judge(t, other)
		if ran.Load() != 0 {
			t.Errorf("%s: the handler ran %d times", d, ran.Load())
		}
		other.want = unknownMethod
		newSite(t, d, options{}).judge(t, other)
	}
}

// TestIdentityComesFromTheCredential is H13 and H15: what callers write about
// themselves changes neither who they are nor what a handler is told of it.
func TestIdentityComesFromTheCredential(t *testing.T) {
	t.Parallel()
	forged := []string{
		"Grpc-Metadata-Authorization: Bearer " + admin(), "Grpc-Metadata-X-User-Id: root", "Grpc-Metadata-X-Roles: admin",
		"X-Forwarded-For: 10.0.0.1", "X-Forwarded-Host: internal.test", "Grpc-Metadata-X-Forwarded-For: 10.0.0.1",
	}
	for _, d := range []door{wire, mounted, rest, restMux, dialled} {
		t.Run(string(d), func(t *testing.T) {
			t.Parallel()
			seen := make(chan metadata.MD, 1)
			look := func(ctx context.Context, req any, _ *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
				md, _ := metadata.FromIncomingContext(ctx)
				seen <- md
				return next(ctx, req)
			}
			s := newSite(t, d, options{look: look})
			a, _, _ := get.over(d)
			a.fields = append(a.fields, bearer(reader()))
			a.fields = append(a.fields, forged...)
			c := s.client()
			for range 50 {
				rep := c.ask(a)
				if !strings.Contains(string(rep.body), "alice") || strings.Contains(string(rep.body), "root") {
					t.Fatalf("answered %s, want alice", rep.text())
				}
				s.sees(t, <-seen)
			}
		})
	}
}

// sees checks the metadata that a handler got.
func (s *site) sees(t *testing.T, md metadata.MD) {
	t.Helper()
	if got := md.Get("authorization"); len(got) != 1 || got[0] != "Bearer "+reader() {
		t.Errorf("the handler is told of %d credentials", len(got))
	}
	if s.door.rpc() {
		return // metadata is the caller's own there; whoever calls may name it as they like
	}
	if len(md.Get("x-user-id"))+len(md.Get("x-roles")) > 0 {
		t.Errorf("the handler is told %v, %v", md.Get("x-user-id"), md.Get("x-roles"))
	}
	for _, from := range md.Get("x-forwarded-for") {
		if from != "203.0.113.9" {
			t.Errorf("the handler is told of the address %q", from)
		}
	}
	if host := md.Get("x-forwarded-host"); len(host) != 1 || host[0] != "items.example.test" {
		t.Errorf("the handler is told of the hosts %q", host)
	}
}

// TestNothingIsFetchedForAToken is H27: where a token says its key can be found, nobody
// looks.
func TestNothingIsFetchedForAToken(t *testing.T) {
	t.Parallel()
	var connections atomic.Int64
	trap := httptest.NewUnstartedServer(http.NotFoundHandler())
	trap.Config.ConnState = func(net.Conn, http.ConnState) { connections.Add(1) }
	trap.StartTLS()
	defer trap.Close()
	k := tokentest.RSA()
	for _, d := range doors {
		s := newSite(t, d, options{})
		for _, member := range []string{`"jku":"` + trap.URL + `"`, `"x5u":"` + trap.URL + `"`, `"x5c":["` + trap.URL + `"]`} {
			r := forged("H27 "+member, k.Sign(`{"alg":"RS256","kid":"k1",`+member+`}`, payload()))
			r.times = 5
			s.judge(t, r)
		}
	}
	if n := connections.Load(); n != 0 {
		t.Errorf("%d connections were made because a token said so", n)
	}
}

// TestEdgeOfExpiry is H31, with room for a slow machine: to the second it is held in
// package jwt, whose clock can be set.
func TestEdgeOfExpiry(t *testing.T) {
	t.Parallel()
	k := tokentest.Ed25519()
	for _, d := range doors {
		s := newSite(t, d, options{})
		token := k.Token(claims(map[string]any{"exp": time.Now().Unix() - 31}))
		r := forged("H31 past", token)
		r.times = 5
		s.judge(t, r)
		if d == inside {
			continue
		}
		r = forged("H31 within the allowance", k.Token(claims(map[string]any{"exp": time.Now().Unix() - 5})))
		r.times, r.want = 1, allowed
		s.judge(t, r)
	}
}

// TestExpiryOfAStream is H43: a stream lives no longer than its credential, whatever
// the handler does.
func TestExpiryOfAStream(t *testing.T) {
	t.Parallel()
	for _, d := range []door{wire, mounted, rest, restMux} {
		t.Run(string(d), func(t *testing.T) {
			t.Parallel()
			s := newSite(t, d, options{
				auth: authn.New(authn.Bearer(verifier(keys(), jwt.Skew(0)))),
				pace: func(s *service) { s.pace = 10 * time.Millisecond },
			})
			forever := watchC
			forever.msg, forever.rest = watchOf(0), "/v1/items:watch"
			a, _, _ := forever.over(d)
			expiry := time.Now().Unix() + 2
			a.fields = append(a.fields, bearer(tokentest.Ed25519().Token(claims(map[string]any{"exp": expiry}))))
			rep := s.client().ask(a)
			if time.Now().Before(time.Unix(expiry, 0)) {
				t.Error("the stream ended before the credential")
			}
			if err := <-s.service.ended; interceptor.StatusOf(err).Code() != codes.Unauthenticated {
				t.Errorf("the handler's context ended with %v", err)
			}
			s.endedByExpiry(t, rep)
		})
	}
}

// endedByExpiry checks how a stream was ended on the wire, messages having been sent.
func (s *site) endedByExpiry(t *testing.T, rep reply) {
	t.Helper()
	const text = "the credential has expired"
	if s.door.rpc() {
		if rep.code() != codes.Unauthenticated || rep.message() != text || len(rep.body) == 0 {
			t.Errorf("ended with %v %q after %d bytes", rep.code(), rep.message(), len(rep.body))
		}
		return
	}
	lines := strings.Split(strings.TrimSpace(string(rep.body)), "\n")
	if last := lines[len(lines)-1]; rep.status != 200 || len(lines) < 2 || !strings.Contains(last, `"error":`) || !strings.Contains(last, text) {
		t.Errorf("answered %d, and the last of %d lines is %s", rep.status, len(lines), last)
	}
}

// TestHonestProxy is H53: the first stranger from the right is the client.
func TestHonestProxy(t *testing.T) {
	t.Parallel()
	for _, d := range []door{wire, mounted, rest, restMux, plain} {
		s := newSite(t, d, options{peer: "10.0.0.7:4711"})
		for _, list := range [][]string{
			{"X-Forwarded-For: 1.1.1.1, 198.51.100.5, 10.0.0.9"},
			{"X-Forwarded-For: 1.1.1.1", "X-Forwarded-For: 198.51.100.5,10.0.0.9"},
			{"X-Forwarded-For: 198.51.100.5", "X-Real-Ip: 1.1.1.1", "Forwarded: for=1.1.1.1"},
		} {
			s.judge(t, row{name: "H53", call: search, fields: list, want: allowed, seenFrom: "198.51.100.5", times: 10})
		}
	}
}
