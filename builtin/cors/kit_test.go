package cors_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"google.golang.org/grpc/codes"

	"github.com/crosscut-go/crosscut/builtin/authn"
	"github.com/crosscut-go/crosscut/builtin/cors"
	"github.com/crosscut-go/crosscut/httpadapter"
	"github.com/crosscut-go/crosscut/httpadapter/gateway"
	"github.com/crosscut-go/crosscut/interceptor"
	"github.com/crosscut-go/crosscut/interceptor/interceptortest"
)

// TestConformance holds the hook to the rules that every hook has to keep, for
// calls from a page and from elsewhere.
func TestConformance(t *testing.T) {
	t.Parallel()
	for name, header := range map[string]http.Header{"page": {"Origin": {app}}, "stranger": {"Origin": {evil}}, "elsewhere": nil} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			interceptortest.Run(t, full, interceptortest.WithRequest(interceptortest.Request{Header: header, Message: "hello"}))
		})
	}
}

// TestEveryAnswerOverHTTP checks successes, refusals of inner hooks and failures
// of handlers on every transport; gRPC has none of the headers.
func TestEveryAnswerOverHTTP(t *testing.T) {
	t.Parallel()
	refuse := interceptor.FromFuncs("refuse", interceptor.Funcs{BeforeHandler: func(ctx context.Context, call *interceptor.Call, _ *interceptor.Method) (context.Context, error) {
		if call.RequestHeader().Get("X-Refuse") != "" {
			return nil, interceptor.NewError(codes.Unauthenticated, "not you")
		}
		return ctx, nil
	}})
	for name, request := range map[string]interceptortest.Request{
		"success": {Header: http.Header{}},
		"refusal": {Header: http.Header{"X-Refuse": {"1"}}},
		"panic":   {Header: http.Header{}, Handler: func(context.Context) error { panic("boom") }},
	} {
		for _, origin := range []string{app, evil} {
			t.Run(name+" for "+origin, func(t *testing.T) {
				t.Parallel()
				request := request
				request.Header = request.Header.Clone()
				request.Header.Set("Origin", origin)
				interceptortest.Each(t, []interceptor.Hook{full(), refuse}, request, func(t *testing.T, got interceptortest.Result) {
					allow, vary := strings.Join(got.Header.Values("Access-Control-Allow-Origin"), "|"), strings.Count(strings.Join(got.Header.Values("Vary"), ","), "Origin")
					wantAllow, wantVary := "", 0
					if got.HTTPStatus != 0 {
						wantVary = 1
						if origin == app {
							wantAllow = app
						}
					}
					if allow != wantAllow || vary != wantVary {
						t.Errorf("%d with Access-Control-Allow-Origin %q and Vary %q; want %q and Origin %d times", got.HTTPStatus, allow, got.Header.Values("Vary"), wantAllow, wantVary)
					}
				})
			})
		}
	}
}

// TestPreflightReachesNobody sends preflights to servers that demand a credential,
// for routes that there are and that there are not.
func TestPreflightReachesNobody(t *testing.T) {
	t.Parallel()
	asked := 0
	verifier := authn.VerifierFunc(func(context.Context, string) (*authn.Principal, error) {
		asked++
		return authn.NewPrincipal("alice"), nil
	})
	stack := interceptor.MustNew(cors.New(cors.Origins(app), cors.Credentials()), authn.New(authn.Bearer(verifier))).ReportTo(nil)
	mux := httpadapter.NewMux(stack)
	mux.HandleFunc("/plain", func(http.ResponseWriter, *http.Request) { asked++ })
	mux.Handle("/v1/", gateway.New(stack, nil))
	for _, path := range []string{"/plain", "/none", "/v1/conformance", "/v1/none"} {
		for _, origin := range []string{app, evil} {
			r := httptest.NewRequest(http.MethodOptions, path, strings.NewReader("a body"))
			r.Header = preflight(origin, "POST")
			r.Header.Set("Authorization", "Bearer x")
			w := httptest.NewRecorder()
			mux.ServeHTTP(w, r)
			want := ""
			if origin == app {
				want = app
			}
			h := w.Header()
			if w.Code != http.StatusNoContent || w.Body.Len() > 0 || h.Get("Access-Control-Allow-Origin") != want || (h.Get("Access-Control-Allow-Credentials") == "true") != (want != "") || !strings.HasPrefix(h.Get("Vary"), "Origin") {
				t.Errorf("%s from %s: %d %q %v", path, origin, w.Code, w.Body, h)
			}
		}
	}
	if asked != 0 {
		t.Errorf("%d preflights were authenticated or handled, want none", asked)
	}
}
