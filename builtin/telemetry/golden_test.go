package telemetry_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/crosscut-go/crosscut/builtin/telemetry"
	"github.com/crosscut-go/crosscut/interceptor"
	"github.com/crosscut-go/crosscut/interceptor/interceptortest"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// kitMethod finds the kind of method in what the kit calls, which is the only
// difference between many transports.
var kitMethod = regexp.MustCompile(`ConformanceService/(Unary|ClientStream|ServerStream|BidiStream)`)

// golden collects what each transport reports; those that report the same are
// written as one.
type golden struct {
	texts      []string
	transports map[string][]string
}

func (g *golden) add(transport, text string) {
	text = kitMethod.ReplaceAllString(text, "ConformanceService/METHOD")
	if g.transports == nil {
		g.transports = map[string][]string{}
	}
	if len(g.transports[text]) == 0 {
		g.texts = append(g.texts, text)
	}
	g.transports[text] = append(g.transports[text], transport)
}

func (g *golden) compare(t *testing.T, name string) {
	t.Helper()
	var b strings.Builder
	for _, text := range g.texts {
		fmt.Fprintf(&b, "== %s\n%s\n", strings.Join(g.transports[text], "\n== "), text)
	}
	file := filepath.Join("testdata", strings.ReplaceAll(name, " ", "-")+".golden")
	if *update {
		if err := os.WriteFile(file, []byte(b.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatalf("%v; write it with go test -update and review it", err)
	}
	if b.String() != string(want) {
		t.Errorf("what is reported differs from %s (go test -update rewrites it):\n%s", file, b.String())
	}
}

// TestGolden holds spans and metrics of every transport to files that a person
// has compared with the conventions.
func TestGolden(t *testing.T) {
	t.Parallel()
	refuse := interceptor.FromFuncs("refuse", interceptor.Funcs{BeforeRequest: func(ctx context.Context, call *interceptor.Call) (context.Context, error) {
		if call.RequestHeader().Get("X-Refuse") != "" {
			return nil, interceptor.NewError(codes.PermissionDenied, "not you")
		}
		return ctx, nil
	}})
	returns := func(err error) func(context.Context) error { return func(context.Context) error { return err } }
	for _, tt := range []struct {
		name    string
		request interceptortest.Request
		opts    []telemetry.Option
	}{
		{name: "success"},
		{name: "the callers fault", request: interceptortest.Request{Handler: returns(status.Error(codes.NotFound, "no such book"))}},
		{name: "the servers fault", request: interceptortest.Request{Handler: returns(status.Error(codes.Unavailable, "try again"))}},
		{name: "plain error", request: interceptortest.Request{Handler: returns(errors.New("secret text"))}},
		{name: "deadline", request: interceptortest.Request{Handler: returns(context.DeadlineExceeded)}},
		{name: "odd code", request: interceptortest.Request{Handler: returns(status.Error(codes.Code(77), "odd"))}},
		{name: "panic", request: interceptortest.Request{Handler: func(context.Context) error { panic("boom") }}},
		{name: "refused before the method is known", request: interceptortest.Request{Header: http.Header{"X-Refuse": {"1"}}}},
		{
			name: "options", request: interceptortest.Request{Header: http.Header{"X-Tenant": {"a", "b"}}},
			opts: []telemetry.Option{
				telemetry.RequestHeaders("X-Tenant", "X-Absent"), telemetry.RPCMetricsForTranscoded(), telemetry.ActiveRequests(), telemetry.BodySizes(),
				telemetry.Addresses(false), telemetry.StatusMessages(false), telemetry.Conventions(telemetry.Semconv145),
				telemetry.InternalInProcess(), telemetry.Path(func(string) string { return "/rewritten" }),
			},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := newSink(t)
			tt.request.Authority = "books.example:8443"
			var g golden
			interceptortest.Each(t, []interceptor.Hook{s.hook(telemetry.Continue, tt.opts...), refuse}, tt.request, func(t *testing.T, got interceptortest.Result) {
				g.add(got.Transport, s.dump(t))
			})
			g.compare(t, tt.name)
		})
	}
}
