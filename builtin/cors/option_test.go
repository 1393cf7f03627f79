package cors_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/crosscut-go/crosscut/builtin/cors"
)

func TestMisuse(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, advice string
		make         func()
	}{
		{"no origin", "list some with cors.Origins", func() { cors.New() }},
		{"any origin with credentials", "let every page on the web act", func() { cors.New(cors.AnyOrigin(), cors.Credentials()) }},
		{"any origin and some", "makes Origins pointless", func() { cors.New(cors.AnyOrigin(), cors.Origins(app)) }},
		{"star", "use cors.AnyOrigin()", func() { cors.Origins(app, "*") }},
		{"null", "sandboxed", func() { cors.Origins("null") }},
		{"wildcard", "one by one", func() { cors.Origins("https://*.example.test") }},
		{"slash", "nothing else", func() { cors.Origins(app + "/") }},
		{"method in lower case", "upper case", func() { cors.Methods("GET", "put") }},
		{"any method", "no wildcard", func() { cors.Methods("*") }},
		{"methods in one string", "one by one", func() { cors.Methods("GET, PUT") }},
		{"no method", "one by one", func() { cors.Methods("") }},
		{"CONNECT", "never send", func() { cors.Methods("CONNECT") }},
		{"TRACE", "never send", func() { cors.Methods("TRACE") }},
		{"any header", "no wildcard", func() { cors.Headers("*") }},
		{"headers in one string", "one by one", func() { cors.Headers("Authorization, X-Tenant") }},
		{"any exposed header", "cors.ExposedHeaders(\"*\")", func() { cors.ExposedHeaders("*") }},
		{"line break", "one by one", func() { cors.ExposedHeaders("X-A\r\nX-B") }},
		{"negative duration", "from 0 to 24 hours", func() { cors.MaxAge(-time.Second) }},
		{"two days", "from 0 to 24 hours", func() { cors.MaxAge(48 * time.Hour) }},
		{"part of a second", "whole seconds", func() { cors.MaxAge(time.Millisecond) }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			defer func() {
				if text := fmt.Sprint(recover()); !strings.HasPrefix(text, "cors.") || !strings.Contains(text, tt.advice) {
					t.Errorf("panic %q; want one that says %q", text, tt.advice)
				}
			}()
			tt.make()
		})
	}
}
