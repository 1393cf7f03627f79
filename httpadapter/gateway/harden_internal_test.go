package gateway

import (
	"net/http"
	"testing"
)

func TestForged(t *testing.T) {
	t.Parallel()
	for _, key := range []string{
		"Grpc-Metadata-Authorization", "grpc-metadata-x", "GRPC-METADATA-X", "Grpc_metadata_authorization",
		"Grpc.metadata-X", "Grpc-Metadata-", "Grpc-Metadata-Trace-Bin", "X-Forwarded-For", "X_forwarded_for",
		"X-Forwarded-Host", "X-Forwarded-Proto", "x-forwarded-", "Forwarded", "forwarded",
		"X-Http-Method-Override", "X_HTTP_METHOD_OVERRIDE", "x-http.method-override",
	} {
		if !forged(key) {
			t.Errorf("%q is passed on; only the gateway may speak in it", key)
		}
	}
	for _, key := range []string{
		"Authorization", "Grpc-Timeout", "Grpc-Metadata", "Grpcgateway-X", "X-Request-Id", "X-Forward", "Forwarded-By",
		"From", "Content-Type", "Te", "X", "G", "",
	} {
		if forged(key) {
			t.Errorf("%q is removed; a bare gateway's users rely on it", key)
		}
	}
}

func TestHardenCopiesOnlyWhenSomethingGoes(t *testing.T) {
	t.Parallel()
	clean := &http.Request{Header: http.Header{"Authorization": {"Bearer x"}}}
	if got := harden(clean); got != clean {
		t.Error("a request with nothing to remove was copied")
	}
	r := &http.Request{Header: http.Header{"X-Forwarded-For": {"6.6.6.6"}, "Accept": {"a", "b"}}}
	got := harden(r)
	if len(r.Header) != 2 {
		t.Error("the original request was changed; hooks and logs must still see what was sent")
	}
	if len(got.Header) != 1 || len(got.Header["Accept"]) != 2 {
		t.Errorf("the copy's header is %v, want Accept alone, with both values", got.Header)
	}
}
