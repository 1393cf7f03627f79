package logging_test

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/types/known/anypb"

	"github.com/crosscut-go/crosscut/builtin/authn"
	"github.com/crosscut-go/crosscut/builtin/logging"
	"github.com/crosscut-go/crosscut/builtin/requestid"
	"github.com/crosscut-go/crosscut/interceptor"
	"github.com/crosscut-go/crosscut/interceptor/interceptortest"
	pb "github.com/crosscut-go/crosscut/proto/crosscut/conformance/v1"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// golden is what a log should be, per transport: a list of JSON with the records
// as they were written. Transports that log the same are one entry.
type golden struct {
	logs       []string
	transports map[string][]string
}

var (
	// changing is what differs from run to run.
	changing = regexp.MustCompile(`"(time|peer)":"[^"]*"|"(duration)":\d+`)
	// length is that of JSON, where protojson puts spaces in other places of every
	// binary.
	length = regexp.MustCompile(`("transport":"http".*"sent_bytes":)[1-9]\d*`)
)

func (g *golden) add(transport, log string) {
	log = length.ReplaceAllString(changing.ReplaceAllString(log, `"$1$2":"…"`), `$1"…"`)
	if g.transports == nil {
		g.transports = map[string][]string{}
	}
	if len(g.transports[log]) == 0 {
		g.logs = append(g.logs, log)
	}
	g.transports[log] = append(g.transports[log], transport)
}

func (g *golden) text() string {
	var entries []string
	for _, log := range g.logs {
		records := strings.ReplaceAll(strings.TrimSpace(log), "\n", ",\n   ")
		transports := `"` + strings.Join(g.transports[log], `", "`) + `"`
		entries = append(entries, fmt.Sprintf(" {\"transports\": [%s],\n  \"records\": [\n   %s\n  ]}", transports, records))
	}
	return "[\n" + strings.Join(entries, ",\n") + "\n]\n"
}

func (g *golden) compare(t *testing.T, name string) {
	t.Helper()
	got := g.text()
	if !json.Valid([]byte(got)) {
		t.Errorf("what was logged is no JSON:\n%s", got)
	}
	file := filepath.Join("testdata", strings.ReplaceAll(name, " ", "-")+".golden.json")
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatalf("%v; write it with go test -update and review it", err)
	}
	if got != string(want) {
		t.Errorf("what is logged differs from %s (go test -update rewrites it):\n%s", file, got)
	}
}

// TestGolden holds the records of every transport to files that a person has
// reviewed.
func TestGolden(t *testing.T) {
	t.Parallel()
	alice := http.Header{"Authorization": {"Bearer good-token"}, "X-Request-Id": {"4d1f0a2b7c"}}
	returns := func(err error) func(context.Context) error { return func(context.Context) error { return err } }
	cause := errors.New("dial tcp 10.1.2.3:5432: connection refused")
	for _, tt := range []struct {
		name    string
		request interceptortest.Request
		opts    []logging.Option
	}{
		{name: "success", request: interceptortest.Request{Header: alice}},
		{name: "denial", request: interceptortest.Request{Header: http.Header{"X-Request-Id": {"4d1f0a2b7c"}, "Authorization": {"Bearer stolen-token"}}}},
		{name: "the callers fault", request: interceptortest.Request{Header: alice, Handler: returns(interceptor.NewError(codes.NotFound, "no such book"))}},
		{name: "the servers fault", request: interceptortest.Request{Header: alice, Handler: returns(interceptor.NewError(codes.Unavailable, "try again", interceptor.WithCause(cause)))}},
		{name: "plain error", request: interceptortest.Request{Header: alice, Handler: returns(cause)}},
		{name: "panic", request: interceptortest.Request{Header: alice, Handler: func(context.Context) error { panic("boom") }}},
		{
			name: "options", request: interceptortest.Request{Header: alice, Message: "hello"},
			opts: []logging.Option{logging.Payloads(slog.LevelDebug), logging.Sample(100), logging.CodeLevel(slog.LevelInfo-1, codes.OK)},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var j journal
			hooks := []interceptor.Hook{
				requestid.New(), logging.New(j.logger(slog.LevelDebug), tt.opts...),
				authn.New(authn.Bearer(authn.StaticTokens(map[string]string{"good-token": "alice"}))),
			}
			var g golden
			interceptortest.Each(t, hooks, tt.request, func(t *testing.T, got interceptortest.Result) {
				g.add(got.Transport, j.take())
			})
			g.compare(t, tt.name)
		})
	}
}

// TestGoldenPayloads holds what is printed of messages to a reviewed file: fields
// with debug_redact at every depth, and an error that quotes them.
func TestGoldenPayloads(t *testing.T) {
	t.Parallel()
	nested := &pb.Nested{Text: "shown", Secret: "hunter2"}
	known, err := anypb.New(nested)
	if err != nil {
		t.Fatal(err)
	}
	request := &pb.UnaryRequest{Id: "7", Text: "shown", UpperCase: true, Secret: "hunter2", Nested: nested}
	response := func(detail *anypb.Any) *pb.UnaryResponse {
		return &pb.UnaryResponse{
			Text: "shown", Secret: "hunter2", Nested: nested, Detail: detail,
			NestedList: []*pb.Nested{nested, {}}, NestedMap: map[string]*pb.Nested{"b": {}, "a": nested},
		}
	}
	var g golden
	for _, tt := range []struct {
		name    string
		handler func(context.Context) (any, error)
	}{
		{"a type that is linked in", answer(response(known), nil)},
		{"a type that is not", answer(response(&anypb.Any{TypeUrl: "type.googleapis.com/no.such.Type", Value: []byte("hunter2")}), nil)},
		{"an error that quotes the request", answer(nil, fmt.Errorf("no login with %v", request.GetSecret()))},
	} {
		var j journal
		x := exchange{method: unary(), request: request, handler: tt.handler}
		x.run(t, interceptor.MustNew(logging.New(j.logger(slog.LevelDebug), logging.Payloads(slog.LevelDebug))).ReportTo(nil))
		checkNoSecret(t, j.text(), "hunter2")
		g.add(tt.name, j.take())
	}
	g.compare(t, "payloads")
}
