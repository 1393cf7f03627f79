package csrf_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"google.golang.org/grpc/codes"

	"github.com/crosscut-go/crosscut/builtin/csrf"
	"github.com/crosscut-go/crosscut/grpcadapter"
	"github.com/crosscut-go/crosscut/httpadapter/gateway"
	"github.com/crosscut-go/crosscut/interceptor"
	"github.com/crosscut-go/crosscut/interceptor/interceptortest"
	pb "github.com/crosscut-go/crosscut/proto/crosscut/conformance/v1"
)

// TestConformance holds the hook to the rules that every hook has to keep.
func TestConformance(t *testing.T) {
	t.Parallel()
	interceptortest.Run(t, func() interceptor.Hook { return csrf.New(csrf.TrustOrigins(app)) })
	interceptortest.Run(t, func() interceptor.Hook { return csrf.New(csrf.TrustOrigins(app)) }, interceptortest.WithRequest(interceptortest.Request{
		Header: headers("Cookie", "x=y", "Sec-Fetch-Site", "cross-site", "Origin", app, "Content-Type", "application/json"), Message: "hello",
	}))
}

// posts tells whether the kit sends a POST on the transport, and whether to an RPC.
func posts(transport string) (post, rpc bool) {
	rpc = transport == "rest/unary-with-body" || transport == "rest/bidi-stream"
	return rpc || strings.HasPrefix(transport, "http/"), rpc
}

// TestEverywhere sends forged writes on every transport. What is a GET there, and
// gRPC, are not concerned.
func TestEverywhere(t *testing.T) {
	t.Parallel()
	session := func(pairs ...string) http.Header { return headers(append(pairs, "Cookie", "__Host-session=x")...) }
	tests := []struct {
		name        string
		header      http.Header
		plain, rest int
	}{
		{"cross-site write with a cookie", session("Sec-Fetch-Site", "cross-site", "Origin", evil, "Content-Type", "application/json"), 403, 403},
		{"the same with a token instead", headers("Authorization", "Bearer x", "Sec-Fetch-Site", "cross-site", "Origin", evil, "Content-Type", "application/json"), 200, 200},
		{"own write with a cookie", session("Sec-Fetch-Site", "same-origin", "Content-Type", "application/json"), 200, 200},
		{"JSON dressed as text", session("Content-Type", "text/plain"), 200, 415},
		{"JSON without a type", session(), 200, 415},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			interceptortest.Each(t, []interceptor.Hook{csrf.New()}, interceptortest.Request{Header: tt.header, Message: "x"}, func(t *testing.T, got interceptortest.Result) {
				want, code := 200, codes.OK
				if post, rpc := posts(got.Transport); rpc {
					want = tt.rest
				} else if post {
					want = tt.plain
				}
				switch want {
				case 403:
					code = codes.PermissionDenied
				case 415:
					code = codes.InvalidArgument
				}
				if got.Code != code || got.Reached != (want == 200) || got.HTTPStatus != 0 && got.HTTPStatus != want {
					t.Errorf("%d %v, reached %v; want %d %v", got.HTTPStatus, got.Code, got.Reached, want, code)
				}
			})
		})
	}
}

// TestEmptyPostsOnTheWire checks that a POST that says it has no body passes, over
// each version of HTTP, and that one that leaves it open does not.
func TestEmptyPostsOnTheWire(t *testing.T) {
	t.Parallel()
	for _, version := range []string{"1.1", "2"} {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			stack := interceptor.MustNew(csrf.New())
			srv := grpcadapter.NewServer(stack)
			t.Cleanup(srv.Stop)
			pb.RegisterConformanceServiceServer(srv, pb.UnimplementedConformanceServiceServer{})
			gw := gateway.New(stack, srv.Conn())
			if err := pb.RegisterConformanceServiceHandlerClient(t.Context(), gw.Mux(), pb.NewConformanceServiceClient(srv.Conn())); err != nil {
				t.Fatal(err)
			}
			web := httptest.NewUnstartedServer(gw)
			web.EnableHTTP2 = version == "2"
			web.StartTLS()
			t.Cleanup(web.Close)
			for _, tt := range []struct {
				length int64 // -1 is unknown
				status int
			}{{0, http.StatusNotImplemented}, {-1, http.StatusUnsupportedMediaType}} {
				r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, web.URL+"/v1/conformance", http.NoBody)
				if err != nil {
					t.Fatal(err)
				}
				if tt.length < 0 {
					r.Body, r.ContentLength = io.NopCloser(strings.NewReader("{}")), -1
				}
				r.Header.Set("Cookie", "x=y")
				resp, err := web.Client().Do(r)
				if err != nil {
					t.Fatal(err)
				}
				_ = resp.Body.Close()
				if resp.StatusCode != tt.status || !strings.HasPrefix(resp.Proto, "HTTP/"+version) {
					t.Errorf("%s with length %d: status %d, want %d", resp.Proto, tt.length, resp.StatusCode, tt.status)
				}
			}
		})
	}
}
