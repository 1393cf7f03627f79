package hostile_test

import (
	"context"
	"crypto/subtle"
	"net/http"
	"testing"

	"google.golang.org/grpc/codes"

	"github.com/crosscut-go/crosscut/builtin/authn"
	"github.com/crosscut-go/crosscut/interceptor"
)

// session is the cookie of somebody who is signed in.
const session = "3vYwq0cV1mB7sT9xKd5e"

// sessions is authentication by a cookie, or else by a token: what a program with pages
// of its own writes.
type sessions struct{ interceptor.Hook }

func (sessions) Name() string                   { return "sessions" }
func (sessions) Decides()                       {}
func (sessions) Provides() []interceptor.AnyKey { return []interceptor.AnyKey{authn.Key} }

func (s sessions) BeforeHandler(ctx context.Context, call *interceptor.Call, m *interceptor.Method) (context.Context, error) {
	cookies, err := http.ParseCookie(call.RequestHeader().Get("Cookie"))
	if err != nil || len(call.RequestHeader().Values("Authorization")) > 0 {
		return s.Hook.BeforeHandler(ctx, call, m)
	}
	for _, c := range cookies {
		if c.Name == "__Host-session" && subtle.ConstantTimeCompare([]byte(c.Value), []byte(session)) == 1 {
			authn.Key.Set(call, authn.NewPrincipal("bob", authn.WithScopes("items.read", "items.write")))
			return ctx, nil
		}
	}
	return s.Hook.BeforeHandler(ctx, call, m)
}

// TestBrowsers is H61 and H62: a cookie is the browser's word and not its user's.
func TestBrowsers(t *testing.T) {
	t.Parallel()
	foreign := outcome{code: codes.PermissionDenied, status: 403, text: "cross-origin requests are not allowed", agreed: true}
	media := outcome{code: codes.InvalidArgument, status: 415, text: "the content type must be application/json"}
	cookie := "Cookie: __Host-session=" + session
	evil := []string{"Sec-Fetch-Site: cross-site", "Origin: https://evil.test"}
	own := []string{cookie, "Sec-Fetch-Site: same-origin"}
	dressed := func(contentType string) func(*ask) {
		return func(a *ask) { a.fields = append([]string{cookie}, contentType) }
	}
	rows := []row{
		{name: "H61 cross-site with a cookie", call: create, fields: append([]string{cookie}, evil...), want: foreign, good: own},
		{name: "H61 an old browser", call: create, fields: []string{cookie, "Origin: https://evil.test"}, want: foreign, good: own},
		{name: "H61 a subdomain", call: create, fields: []string{cookie, "Sec-Fetch-Site: same-site"}, want: foreign, good: own},
		{name: "H61 the application", call: create, doors: "RMP", fields: []string{cookie, "Sec-Fetch-Site: cross-site", "Origin: https://app.example.test"}, want: allowed},
		{name: "H61 cross-site with a token", call: create, doors: "RMP", fields: append([]string{bearer(writer())}, evil...), want: allowed},
		{name: "H61 cross-site with a token of little worth", call: create, fields: append([]string{bearer(reader())}, evil...), want: denied},
		{name: "H62 text", call: create, doors: "RMI", alter: dressed("Content-Type: text/plain"), want: media, good: own},
		{name: "H62 a form", call: create, doors: "RMI", alter: dressed("Content-Type: application/x-www-form-urlencoded"), want: media, good: own},
		{name: "H62 no type", call: create, doors: "RMI", alter: dressed("X-Nothing: here"), want: media, good: own},
	}
	for _, d := range []door{rest, restMux, inside, plain} {
		t.Run(string(d), func(t *testing.T) {
			t.Parallel()
			auth := sessions{authn.New(authn.Bearer(verifier(keys())))}
			s := newSite(t, d, options{auth: auth})
			for _, r := range rows {
				t.Run(r.name, func(t *testing.T) { s.judge(t, r) })
			}
		})
	}
}
