package csrf_test

import (
	"net/http"
	"strings"
	"testing"

	"google.golang.org/grpc/codes"

	"github.com/crosscut-go/crosscut/builtin/csrf"
	"github.com/crosscut-go/crosscut/interceptor"
	"github.com/crosscut-go/crosscut/interceptor/interceptortest"
	"github.com/crosscut-go/crosscut/internal/driver"
	pb "github.com/crosscut-go/crosscut/proto/crosscut/conformance/v1"
)

const (
	host = "shop.example.test"
	app  = "https://app.example.test"
	evil = "https://evil.test"
)

var (
	route = interceptortest.NewMethod("POST /v1/items")
	rpc   = interceptortest.NewMethod(pb.ConformanceService_Unary_FullMethodName)
)

// headers makes request headers of keys and values.
func headers(pairs ...string) http.Header {
	h := http.Header{}
	for i := 0; i < len(pairs); i += 2 {
		h.Add(pairs[i], pairs[i+1])
	}
	return h
}

// send runs a call through the hook.
func send(hook interceptor.Hook, verb, authority string, method *interceptor.Method, header http.Header) interceptortest.Phases {
	opts := []interceptortest.CallOption{interceptortest.WithHTTP(verb, "/v1/items"), interceptortest.WithAuthority(authority),
		interceptortest.WithMethod(method, "/v1/items"), interceptortest.WithHooks(hook)}
	for key, values := range header {
		opts = append(opts, interceptortest.WithHeader(key, values...))
	}
	call, _ := interceptortest.NewCall(opts...)
	return interceptortest.RunPhases(call, nil)
}

func check(t *testing.T, got interceptortest.Phases, status int) {
	t.Helper()
	if got.HTTPStatus != status || got.Reached != (status == http.StatusOK) {
		t.Errorf("status %d, reached %v, err %v; want %d", got.HTTPStatus, got.Reached, got.Err, status)
	}
	code, text := codes.OK, ""
	switch status {
	case http.StatusForbidden:
		code, text = codes.PermissionDenied, "cross-origin requests are not allowed"
	case http.StatusUnsupportedMediaType:
		code, text = codes.InvalidArgument, "the content type must be application/json"
	}
	if st := interceptor.StatusOf(got.Err); st.Code() != code || st.Message() != text {
		t.Errorf("the client is told %v %q; want %v %q", st.Code(), st.Message(), code, text)
	}
}

// TestCrossOriginWrites are POSTs to a plain handler.
func TestCrossOriginWrites(t *testing.T) {
	t.Parallel()
	const cookie, session = "Cookie", "__Host-session=x"
	tests := []struct {
		name   string
		header http.Header
		status int
	}{
		{"cross-site with a cookie", headers(cookie, session, "Sec-Fetch-Site", "cross-site", "Origin", evil), 403},
		{"cross-site with an empty cookie", headers(cookie, "", "Sec-Fetch-Site", "cross-site"), 403},
		{"sibling subdomain with a cookie", headers(cookie, session, "Sec-Fetch-Site", "same-site", "Origin", "https://x.example.test"), 403},
		{"a site that browsers do not know", headers(cookie, session, "Sec-Fetch-Site", "elsewhere"), 403},
		{"without an origin", headers(cookie, session, "Sec-Fetch-Site", "cross-site"), 403},
		{"own page", headers(cookie, session, "Sec-Fetch-Site", "same-origin", "Origin", "https://"+host), 200},
		{"address bar", headers(cookie, session, "Sec-Fetch-Site", "none"), 200},
		{"trusted page", headers(cookie, session, "Sec-Fetch-Site", "cross-site", "Origin", app), 200},
		{"trusted page of another scheme", headers(cookie, session, "Sec-Fetch-Site", "cross-site", "Origin", "http://app.example.test"), 403},
		{"trusted page of another port", headers(cookie, session, "Sec-Fetch-Site", "cross-site", "Origin", app+":8443"), 403},
		{"subdomain of a trusted page", headers(cookie, session, "Sec-Fetch-Site", "cross-site", "Origin", "https://x.app.example.test"), 403},
		{"no browser", headers(cookie, session), 200},

		{"old browser, own page", headers(cookie, session, "Origin", "https://"+host), 200},
		{"old browser, stranger's page", headers(cookie, session, "Origin", evil), 403},
		{"old browser, trusted page", headers(cookie, session, "Origin", app), 200},
		{"old browser, sandboxed page", headers(cookie, session, "Origin", "null"), 403},
		{"old browser, own host with another port", headers(cookie, session, "Origin", "https://"+host+":8443"), 403},
		{"old browser, origin that is no URL", headers(cookie, session, "Origin", "%"), 403},

		{"two sites", headers(cookie, session, "Sec-Fetch-Site", "same-origin", "Sec-Fetch-Site", "cross-site"), 403},
		{"two origins", headers(cookie, session, "Origin", "https://"+host, "Origin", evil), 403},

		{"token without a cookie", headers("Authorization", "Bearer x", "Sec-Fetch-Site", "cross-site", "Origin", evil), 200},
		{"token of another scheme", headers("Authorization", "DPoP x", "Sec-Fetch-Site", "cross-site", "Origin", evil), 200},
		{"token beside a cookie", headers("Authorization", "Bearer x", cookie, session, "Sec-Fetch-Site", "cross-site", "Origin", evil), 403},
		{"two tokens", headers("Authorization", "Bearer x", "Authorization", "Basic x", "Sec-Fetch-Site", "cross-site"), 403},
		{"empty token", headers("Authorization", "", "Sec-Fetch-Site", "cross-site"), 403},
		{"remembered password", headers("Authorization", "Basic x", "Sec-Fetch-Site", "cross-site", "Origin", evil), 403},
		{"remembered password, in other case", headers("Authorization", " bASIC x", "Sec-Fetch-Site", "cross-site", "Origin", evil), 403},
		{"network login", headers("Authorization", "Negotiate x", "Sec-Fetch-Site", "cross-site"), 403},
		{"network login of Windows", headers("Authorization", "NTLM x", "Sec-Fetch-Site", "cross-site"), 403},
		{"digest", headers("Authorization", "Digest x", "Sec-Fetch-Site", "cross-site"), 403},
		{"login with neither", headers("Sec-Fetch-Site", "cross-site", "Origin", evil), 403},
		{"own login with neither", headers("Sec-Fetch-Site", "same-origin", "Origin", "https://"+host), 200},

		{"form of the own page", headers(cookie, session, "Sec-Fetch-Site", "same-origin", "Content-Type", "text/plain"), 200},
	}
	hook := csrf.New(csrf.TrustOrigins(app))
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			check(t, send(hook, http.MethodPost, host, route, tt.header), tt.status)
		})
	}
	t.Run("no host and a sandboxed page", func(t *testing.T) {
		t.Parallel()
		check(t, send(hook, http.MethodPost, "", route, headers(cookie, session, "Origin", "null")), 403)
	})
}

func TestMethods(t *testing.T) {
	t.Parallel()
	hook := csrf.New()
	header := headers("Cookie", "x=y", "Sec-Fetch-Site", "cross-site", "Origin", evil, "Content-Type", "text/plain")
	for verb, status := range map[string]int{"GET": 200, "HEAD": 200, "OPTIONS": 200, "POST": 403, "PUT": 403, "PATCH": 403, "DELETE": 403, "PURGE": 403, "get": 403} {
		check(t, send(hook, verb, host, route, header), status)
		check(t, send(hook, verb, host, rpc, header), status)
	}
}

// TestUpgrades are handshakes of WebSockets, which pages may send to any origin.
func TestUpgrades(t *testing.T) {
	t.Parallel()
	hook := csrf.New(csrf.TrustOrigins(app))
	for name, tt := range map[string]struct {
		header http.Header
		status int
	}{
		"stranger's page":              {headers("Cookie", "x=y", "Sec-Fetch-Site", "cross-site", "Origin", evil), 403},
		"stranger's page, old browser": {headers("Cookie", "x=y", "Origin", evil), 403},
		"without a cookie":             {headers("Origin", evil), 403},
		"sandboxed page":               {headers("Cookie", "x=y", "Origin", "null"), 403},
		"own page":                     {headers("Cookie", "x=y", "Sec-Fetch-Site", "same-origin", "Origin", "https://"+host), 200},
		"trusted page":                 {headers("Cookie", "x=y", "Sec-Fetch-Site", "cross-site", "Origin", app), 200},
		"no browser":                   {headers("Cookie", "x=y"), 200},
		"token":                        {headers("Authorization", "Bearer x", "Origin", evil), 200},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tt.header.Set("Connection", "Upgrade")
			tt.header.Set("Upgrade", "websocket")
			check(t, send(hook, http.MethodGet, host, route, tt.header), tt.status)
		})
	}
}

// TestJSONDressedAsAForm are calls of an RPC over REST.
func TestJSONDressedAsAForm(t *testing.T) {
	t.Parallel()
	hook := csrf.New(csrf.ContentTypes("application/x-protobuf"))
	tests := []struct {
		name   string
		types  []string
		status int
	}{
		{"JSON", []string{"application/json"}, 200},
		{"JSON with a charset", []string{"Application/JSON ; charset=utf-8"}, 200},
		{"merge patch", []string{"application/merge-patch+json"}, 200},
		{"listed type", []string{"application/x-protobuf"}, 200},
		{"text", []string{"text/plain"}, 415},
		{"text with a charset", []string{"text/plain;charset=UTF-8"}, 415},
		{"text that mentions JSON", []string{"text/plain; application/json"}, 415},
		{"text that mentions +json", []string{"text/plain; x=+json"}, 415},
		{"text in a list with JSON", []string{"text/plain, application/json"}, 415},
		{"JSON in a list with text", []string{"application/json, text/plain"}, 415},
		{"a list that ends in +json", []string{"text/plain, a/b+json"}, 415},
		{"form", []string{"application/x-www-form-urlencoded"}, 415},
		{"multipart form", []string{"multipart/form-data; boundary=x"}, 415},
		{"a type that is not listed", []string{"application/octet-stream"}, 415},
		{"a type that begins like JSON", []string{"application/json-seq"}, 415},
		{"no type", nil, 415},
		{"empty type", []string{""}, 415},
		{"subtype alone", []string{"json"}, 415},
		{"JSON without a type", []string{"/x+json"}, 415},
		{"two types", []string{"application/json", "text/plain"}, 415},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			for _, authority := range [][]string{{"Cookie", "x=y"}, {"Authorization", "Basic x"}} {
				header := headers(authority...)
				header["Content-Type"] = tt.types
				check(t, send(hook, http.MethodPost, host, rpc, header), tt.status)
				check(t, send(hook, http.MethodPost, host, route, header), 200)
				check(t, send(hook, http.MethodGet, host, rpc, header), 200)
			}
			for _, authority := range [][]string{{"Authorization", "Bearer x"}, nil} {
				header := headers(authority...)
				header["Content-Type"] = tt.types
				check(t, send(hook, http.MethodPost, host, rpc, header), 200)
			}
		})
	}
}

func TestBodilessCalls(t *testing.T) {
	t.Parallel()
	hook := csrf.New()
	cookie := headers("Cookie", "x=y")
	empty := headers("Cookie", "x=y", "Content-Length", "0")
	text := headers("Cookie", "x=y", "Content-Length", "0", "Content-Type", "text/plain")
	check(t, send(hook, "POST", host, rpc, empty), 200)
	check(t, send(hook, "POST", host, rpc, cookie), 415)
	check(t, send(hook, "POST", host, rpc, text), 415)
	for _, verb := range []string{"DELETE", "PUT", "PATCH"} {
		check(t, send(hook, verb, host, rpc, cookie), 200)
		check(t, send(hook, verb, host, rpc, text), 415)
	}
}

// TestCauses checks that operators learn what clients are not told.
func TestCauses(t *testing.T) {
	t.Parallel()
	for text, header := range map[string]http.Header{
		"Sec-Fetch-Site":                 headers("Sec-Fetch-Site", "cross-site"),
		"Origin does not match":          headers("Origin", evil),
		"more than one":                  headers("Origin", evil, "Origin", evil),
		"Content-Type: application/json": headers("Cookie", "x=y"),
	} {
		got := send(csrf.New(), http.MethodPost, host, rpc, header)
		if got.Err == nil || !strings.Contains(got.Err.Error(), text) || strings.Contains(got.Err.Error(), evil) {
			t.Errorf("%v; want an error that says %q and not what the client sent", got.Err, text)
		}
	}
}

var ops = driver.Get[interceptor.Stack, interceptor.Call, interceptor.Method]()

// wire is an adapter's half of a call that has request headers.
type wire struct {
	driver.Transport
	verb    string
	request http.Header
}

func (*wire) Kind() driver.Kind                   { return driver.HTTP }
func (*wire) Authority() string                   { return host }
func (w *wire) HTTPMethod() string                { return w.verb }
func (w *wire) RequestHeader(key string) []string { return w.request[key] }

func TestAllocations(t *testing.T) {
	run := func(w *wire, hooks ...interceptor.Hook) float64 {
		stack := interceptor.MustNew(hooks...)
		return testing.AllocsPerRun(1000, func() {
			c := new(interceptor.Call)
			ops.Begin(c, stack, t.Context(), w)
			ops.Request(c)
			ops.Resolve(c, rpc, "/v1/items")
			ops.End(c, 0)
		})
	}
	for name, tt := range map[string]struct {
		wire wire
		want float64
	}{
		"read from a page":    {wire{verb: "GET", request: headers("Cookie", "x=y", "Sec-Fetch-Site", "cross-site")}, 0},
		"no browser":          {wire{verb: "POST", request: headers("Cookie", "x=y", "Content-Type", "application/json")}, 0},
		"token from a page":   {wire{verb: "POST", request: headers("Authorization", "Bearer x", "Sec-Fetch-Site", "cross-site")}, 0},
		"write from the page": {wire{verb: "POST", request: headers("Cookie", "x=y", "Sec-Fetch-Site", "same-origin", "Origin", "https://"+host, "Content-Type", "application/json")}, 2},
	} {
		if n := run(&tt.wire, csrf.New()) - run(&tt.wire); n != tt.want {
			t.Errorf("%s: %v allocations, want %v", name, n, tt.want)
		}
	}
}
