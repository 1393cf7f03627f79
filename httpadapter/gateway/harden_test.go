package gateway_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"google.golang.org/grpc/metadata"

	"github.com/crosscut-go/crosscut/httpadapter/gateway"
	"github.com/crosscut-go/crosscut/interceptor"
	pb "github.com/crosscut-go/crosscut/proto/crosscut/conformance/v1"
)

// echoMetadata answers with the values of the keys in the RPC's metadata.
func echoMetadata(keys ...string) *service {
	return &service{unary: func(ctx context.Context, _ *pb.UnaryRequest) (*pb.UnaryResponse, error) {
		md, _ := metadata.FromIncomingContext(ctx)
		var text []string
		for _, k := range keys {
			text = append(text, fmt.Sprintf("%s=%q", k, md.Get(k)))
		}
		return &pb.UnaryResponse{Text: strings.ReplaceAll(strings.Join(text, " "), `"`, "'")}, nil
	}}
}

// No header of a client becomes metadata that the gateway would have written,
// also when the user's matcher lets everything through.
func TestForgedMetadataIsRemoved(t *testing.T) {
	t.Parallel()
	all := gateway.MuxOptions(runtime.WithIncomingHeaderMatcher(func(key string) (string, bool) {
		return strings.TrimPrefix(strings.ReplaceAll(strings.ToLower(key), "_", "-"), "grpc-metadata-"), true
	}))
	tests := []struct {
		name    string
		headers map[string]string
		opts    []gateway.Option
		key     string
		want    string
	}{
		{"a second authorization", map[string]string{"Authorization": "Bearer r", "Grpc-Metadata-Authorization": "Bearer a"}, nil, "authorization", "['Bearer r']"},
		{"authorization as metadata alone", map[string]string{"Grpc-Metadata-Authorization": "Bearer a"}, nil, "authorization", "[]"},
		{"identity", map[string]string{"Grpc-Metadata-X-User-Id": "root"}, nil, "x-user-id", "[]"},
		{"identity, any spelling, loose matcher", map[string]string{"grpc_metadata_x_user_id": "root"}, []gateway.Option{all}, "x-user-id", "[]"},
		{"undecodable binary", map[string]string{"Grpc-Metadata-Trace-Bin": "!!!"}, nil, "trace-bin", "[]"},
		{"forwarded address", map[string]string{"X-Forwarded-For": "6.6.6.6"}, nil, "x-forwarded-for", "['127.0.0.1']"},
		{"forwarded address, other spelling", map[string]string{"X_Forwarded_For": "6.6.6.6"}, []gateway.Option{all}, "x-forwarded-for", "['127.0.0.1']"},
		{"forwarded, standard header", map[string]string{"Forwarded": "for=6.6.6.6"}, []gateway.Option{all}, "forwarded", "[]"},
		{"what a loose matcher lets through", map[string]string{"X-Tenant": "acme"}, []gateway.Option{all}, "x-tenant", "['acme']"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, setup{svc: echoMetadata(tt.key), opts: tt.opts})
			for range 20 { // the gateway reads headers in map order
				r := s.request(t, http.MethodGet, "/v1/conformance/7", "")
				for k, v := range tt.headers {
					r.Header[k] = []string{v} // as spelled
				}
				got := s.do(t, r)
				if got.StatusCode != http.StatusOK || !strings.Contains(got.body, tt.key+"="+tt.want) {
					t.Fatalf("got %d %s, want metadata %s=%s", got.StatusCode, got.body, tt.key, tt.want)
				}
			}
		})
	}
}

func TestForwardedHostIsTheHost(t *testing.T) {
	t.Parallel()
	s := newSite(t, setup{svc: echoMetadata("x-forwarded-host")})
	r := s.request(t, http.MethodGet, "/v1/conformance/7", "")
	r.Host = "good.example"
	r.Header.Set("X-Forwarded-Host", "evil.example")
	if got := s.do(t, r); !strings.Contains(got.body, "['good.example']") {
		t.Errorf("the handler saw %s, want the Host alone", got.body)
	}
}

// A form POST is neither another method nor a GET, whatever the headers and the
// user's options say.
func TestMethodIsTheOneReceived(t *testing.T) {
	t.Parallel()
	for _, override := range []string{"", "X-HTTP-Method-Override", "x-http-method-override"} {
		for _, value := range []string{"GET", "get", "DELETE"} {
			t.Run(override+"/"+value, func(t *testing.T) {
				t.Parallel()
				tr := newTrace()
				s := newSite(t, setup{hooks: []interceptor.Hook{tr.hook("1", nil)}})
				r := s.request(t, http.MethodPost, "/v1/conformance/7", "text=x")
				r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
				if override != "" {
					r.Header[override] = []string{value}
				}
				got := s.do(t, r)
				if got.StatusCode != http.StatusMethodNotAllowed || s.svc.ran.Load() != 0 {
					t.Errorf("got %d %s and the handler ran %d times; want 405 and 0", got.StatusCode, got.body, s.svc.ran.Load())
				}
				end := tr.end(t)
				if end.phases != "BR1 OE1 RS1 AR1" || end.code != "Unimplemented" || end.httpStatus != http.StatusMethodNotAllowed {
					t.Errorf("hooks saw %s, code %s, status %d", end.phases, end.code, end.httpStatus)
				}
			})
		}
	}
}

func TestDotSegmentsAreRefused(t *testing.T) {
	t.Parallel()
	for _, path := range []string{
		"/v1/conformance/..", "/v1/conformance/%2e%2e", "/v1/conformance/%2E%2e", "/v1/conformance/..%2fx",
		"/v1/conformance/a%2f..%2fx", "/v1/conformance/%2e", "/v1/../v1/conformance/7",
	} {
		t.Run(path, func(t *testing.T) {
			t.Parallel()
			tr := newTrace()
			s := newSite(t, setup{hooks: []interceptor.Hook{tr.hook("1", nil)}})
			got := s.get(t, path)
			if got.StatusCode != http.StatusBadRequest || s.svc.ran.Load() != 0 || strings.Contains(got.body, "..") {
				t.Errorf("got %d %s and the handler ran %d times; want 400, 0, and nothing echoed", got.StatusCode, got.body, s.svc.ran.Load())
			}
			if end := tr.end(t); end.phases != "BR1 OE1 RS1 AR1" || end.code != "InvalidArgument" {
				t.Errorf("hooks saw %s, code %s", end.phases, end.code)
			}
		})
	}
}
