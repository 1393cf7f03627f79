package gateway

import (
	"testing"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
)

func TestSameRPC(t *testing.T) {
	t.Parallel()
	tests := []struct {
		rendered, fullMethod string
		want                 bool
	}{
		{"/acme.v1.Items/Get", "/acme.v1.Items/Get", true},
		{"/acme.v1.Items/Get", "/acme.v1.Items/Delete", false},
		{"/acme.v1.Items/Get", "/acme.v2.Items/Get", false},
		{"/acme.v1.Items/Get", "/acme.v1.Other/Get", false},
		{"/acme.v1.Items/Get", "/acme.v1.Items/GET", false},
		// Rendered by protoc-gen-grpc-gateway v2.32.0 for such names.
		{"/acme.v1.Camel_CaseService/GetStatus", "/acme.v1.Camel_Case_service/Get_status", true},
		{"/acme.v1.SnakeService/Get_HTTP2Status", "/acme.v1.snake_service/get_HTTP2_status", true},
		{"/acme_v1.SnakeService/Get", "/acme_v1.snake_service/Get", true},
		{"/.Svc/M", "/Svc/M", true},
		{"/.Svc/M", "/pkg.Svc/M", false},
		{"/acme.v1.XItems/Get", "/acme.v1._items/Get", true},
		{"", "/acme.v1.Items/Get", false},
	}
	for _, tt := range tests {
		if got := sameRPC(tt.rendered, tt.fullMethod); got != tt.want {
			t.Errorf("sameRPC(%q, %q) = %v, want %v", tt.rendered, tt.fullMethod, got, tt.want)
		}
	}
}

func TestCamel(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"":                 "",
		"one":              "One",
		"one_two":          "OneTwo",
		"_my_field_name_2": "XMyFieldName_2",
		"Something_Capped": "Something_Capped",
		"my_Name":          "My_Name",
		"OneTwo":           "OneTwo",
		"_":                "X",
		"_a_":              "XA_",
		"http2_status":     "Http2Status",
		"a1b":              "A1B",
	} {
		if got := camel(in); got != want {
			t.Errorf("camel(%q) = %q, want %q", in, got, want)
		}
	}
}

// The gateway keeps its template compiler internal; this pins that a template
// is recognised by what runtime.Pattern prints.
func TestCanonical(t *testing.T) {
	t.Parallel()
	for template, want := range map[string]string{
		"/v1/items":                                "/v1/items",
		"/v1/items/{id}":                           "/v1/items/{id=*}",
		"/v1/items/{id=*}":                         "/v1/items/{id=*}",
		"/v1/items/{id}:purge":                     "/v1/items/{id=*}:purge",
		"/v1/items:watch":                          "/v1/items:watch",
		"/v1/files/{name=**}":                      "/v1/files/{name=**}",
		"/v1/{name=shelves/*/books/*}":             "/v1/{name=shelves/*/books/*}",
		"/v1/{parent=shelves/*}/books/{book.id}/a": "/v1/{parent=shelves/*}/books/{book.id=*}/a",
		"/v1/{name=operations/**}:cancel":          "/v1/{name=operations/**}:cancel",
		"/v1/*/x/**":                               "/v1/*/x/**",
		"/pkg.Svc/Method":                          "/pkg.Svc/Method",
	} {
		got, err := canonical(template)
		if err != nil || got != want {
			t.Errorf("canonical(%q) = %q, %v; want %q", template, got, err, want)
		}
	}
	for _, bad := range []string{"", "v1/items", "/v1/{id", "/v1/{}", "/v1/{id=**}/x/**"} {
		if got, err := canonical(bad); err == nil {
			t.Errorf("canonical(%q) = %q, want an error", bad, got)
		}
	}
}

// ownFailure recognises a body over the limit by the text that generated code
// keeps; this pins the text of net/http.
func TestTooLargeText(t *testing.T) {
	t.Parallel()
	if want := "http: request body too large"; tooLarge != want {
		t.Errorf("http.MaxBytesError says %q, want %q", tooLarge, want)
	}
}

func TestUserStreamStatusWithoutUserHandler(t *testing.T) {
	t.Parallel()
	g := &Handler{shadow: runtime.NewServeMux()}
	st := g.userStreamStatus(t.Context(), plainError("secret"))
	if st.Message() != "internal error" {
		t.Errorf("an untyped error is %v, want its text gone", st)
	}
}

type plainError string

func (e plainError) Error() string { return string(e) }
