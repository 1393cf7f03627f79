package grpcadapter

import (
	"context"
	"errors"
	"net/http"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// TestAnswerOf: what a client learns from the headers that grpc-go leaves behind.
func TestAnswerOf(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		status, message string
		code            codes.Code
		text            string
	}{
		"success":                {status: "0"},
		"failure":                {"5", "no%20such%20book", codes.NotFound, "no such book"},
		"no message":             {"5", "", codes.NotFound, ""},
		"a broken escape":        {"5", "100%", codes.NotFound, "100%"},
		"no number":              {"x", "", codes.Unknown, `the gRPC status "x" is no number`},
		"too large for a number": {"99999999999", "", codes.Unknown, `the gRPC status "99999999999" is no number`},
	} {
		h := http.Header{"Grpc-Status": {test.status}, "Grpc-Message": {test.message}}
		st := status.Convert(answerOf(t.Context(), h))
		if st.Code() != test.code || st.Message() != test.text {
			t.Errorf("%s: %v %q, want %v %q", name, st.Code(), st.Message(), test.code, test.text)
		}
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := answerOf(ended, http.Header{}); !errors.Is(err, context.Canceled) {
		t.Errorf("without a status: %v, want the end of the request", err)
	}
}

// TestDecodeBinary: binary metadata is base64, padded or not; what is not is left
// for grpc-go to refuse.
func TestDecodeBinary(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ key, value, want string }{
		{"a-bin", "AQI", "\x01\x02"},
		{"a-bin", "AQI=", "\x01\x02"},
		{"a-bin", "", ""},
		{"a-bin", "!", "!"},
		{"a", "AQI", "AQI"},
	} {
		if got := decodeBinary(test.key, test.value); got != test.want {
			t.Errorf("%s: %q is %q, want %q", test.key, test.value, got, test.want)
		}
	}
}
