package logging_test

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"net"
	"strings"
	"sync"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/crosscut-go/crosscut/builtin/logging"
	"github.com/crosscut-go/crosscut/interceptor"
	"github.com/crosscut-go/crosscut/internal/driver"
	pb "github.com/crosscut-go/crosscut/proto/crosscut/conformance/v1"
)

var ops = driver.Get[interceptor.Stack, interceptor.Call, interceptor.Method]()

// wire is an adapter's half of a call with facts and no transport.
type wire struct {
	driver.Transport
	kind   driver.Kind
	parts  bool // the response was sent in parts
	path   string
	method string
	remote net.Addr
	header map[string]string
}

func (w *wire) Kind() driver.Kind                       { return w.kind }
func (w *wire) Flushed() bool                           { return w.parts }
func (w *wire) Path() string                            { return w.path }
func (w *wire) HTTPMethod() string                      { return w.method }
func (w *wire) Peer() driver.Peer                       { return driver.Peer{Remote: w.remote} }
func (w *wire) HeaderChanged(driver.Header, bool) error { return nil }
func (w *wire) Encode(any) error                        { return nil }

func (w *wire) RequestHeader(key string) []string {
	if v, ok := w.header[strings.ToLower(key)]; ok {
		return []string{v}
	}
	return nil
}

// unary returns a fresh method whose messages have fields that no log may show.
func unary() *interceptor.Method {
	d := pb.File_crosscut_conformance_v1_conformance_proto.Services().Get(0).Methods().ByName("Unary")
	return ops.NewMethod("/crosscut.conformance.v1.ConformanceService/Unary", d, uint8(interceptor.Unary))
}

// exchange is one call: what comes in, and what the handler makes of it.
type exchange struct {
	wire    *wire
	method  *interceptor.Method // nil: no method answers
	route   string
	request proto.Message
	refuse  error // instead of decoding a request
	handler func(ctx context.Context) (any, error)
	status  int
}

// run drives a unary call through the hooks, as an adapter does.
func (x exchange) run(t testing.TB, stack *interceptor.Stack) {
	t.Helper()
	if x.wire == nil {
		x.wire = &wire{kind: driver.GRPC}
	}
	c := new(interceptor.Call)
	ops.Begin(c, stack, context.Background(), x.wire)
	switch {
	case !ops.Request(c):
	case x.method == nil:
		_ = ops.Fail(c, x.refuse, false)
	case ops.Resolve(c, x.method, x.route):
		x.serve(c)
	}
	ops.End(c, x.status)
}

func (x exchange) serve(c *interceptor.Call) {
	err := x.refuse
	var resp any
	if x.request != nil && err == nil {
		err = ops.Receive(c, proto.Clone(x.request), proto.Size(x.request))
	}
	if err == nil && x.handler != nil {
		resp, err = x.handler(ops.Inner(c))
	}
	if resp, err = ops.Answer(c, resp, err); err == nil && resp != nil {
		ops.Sent(c, 1, 10)
	}
}

// journal is where a test's records go.
type journal struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (j *journal) Write(b []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.buf.Write(b)
}

func (j *journal) logger(level slog.Level) *slog.Logger {
	return slog.New(slog.NewJSONHandler(j, &slog.HandlerOptions{Level: level}))
}

func (j *journal) text() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.buf.String()
}

// take returns the text and begins a new one.
func (j *journal) take() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	defer j.buf.Reset()
	return j.buf.String()
}

// records parses the journal; each record must be one line.
func (j *journal) records(t testing.TB) []map[string]any {
	t.Helper()
	var all []map[string]any
	for line := range strings.Lines(j.text()) {
		var r map[string]any
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			t.Fatalf("the line %q is no record: %v", line, err)
		}
		all = append(all, r)
	}
	return all
}

// logged runs one call through a logging hook, with more hooks inside of it, and
// returns the record of the call.
func logged(t testing.TB, x exchange, opts []logging.Option, inner ...interceptor.Hook) map[string]any {
	t.Helper()
	var j journal
	hooks := append([]interceptor.Hook{logging.New(j.logger(slog.LevelDebug), opts...)}, inner...)
	x.run(t, interceptor.MustNew(hooks...).ReportTo(nil))
	records := j.records(t)
	if len(records) != 1 || records[0]["msg"] != "call" {
		t.Fatalf("%d records, want one of the call: %v", len(records), records)
	}
	return records[0]
}
