package benchmarks_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"golang.org/x/time/rate"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/crosscut-go/crosscut/benchmarks/contender"
	pb "github.com/crosscut-go/crosscut/proto/crosscut/conformance/v1"
)

// attempt is a call that every contender must treat alike.
type attempt struct {
	name      string
	token, id string
	asked     string // which request
	tokens    int    // in the bucket
	code      codes.Code
	principal string
}

var attempts = []attempt{
	{name: "allowed", token: contender.Token, id: "4d1f0a2b7c", asked: "7", tokens: 1, code: codes.OK, principal: contender.Subject},
	{name: "without an id", token: contender.Token, asked: "7", tokens: 1, code: codes.OK, principal: contender.Subject},
	{name: "without a token", id: "a-1", asked: "7", tokens: 1, code: codes.Unauthenticated},
	{name: "with a wrong token", token: "wrong", id: "a-2", asked: "7", tokens: 1, code: codes.Unauthenticated},
	{name: "refused before the bucket", id: "a-3", asked: "panic", tokens: 1, code: codes.Unauthenticated},
	{name: "too many", token: contender.Token, id: "a-4", asked: "7", code: codes.ResourceExhausted, principal: contender.Subject},
	{name: "panicking", token: contender.Token, id: "a-5", asked: "panic", tokens: 1, code: codes.Internal, principal: contender.Subject},
}

// journal is a log that may be read while it is written.
type journal struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (j *journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.b.Write(p)
}

// spellings are the keys by which contenders log the same thing.
var spellings = map[string][]string{
	"method":    {"method", "grpc.method"},
	"code":      {"code", "grpc.code", "status"},
	"duration":  {"duration", "grpc.time_ms"},
	"peer":      {"peer", "peer.address"},
	"id":        {"request_id"},
	"principal": {"principal"},
	"trace":     {"trace_id"},
}

// only returns the one line of the log.
func (j *journal) only(t *testing.T) map[string]any {
	t.Helper()
	j.mu.Lock()
	defer j.mu.Unlock()
	text := j.b.String()
	if strings.Count(text, "\n") != 1 {
		t.Fatalf("the log is %q, want one line", text)
	}
	logged := map[string]any{}
	if err := json.Unmarshal([]byte(text), &logged); err != nil {
		t.Fatalf("the log is %q: %v", text, err)
	}
	return logged
}

// line returns the one line of the log in the spelling of this test.
func (j *journal) line(t *testing.T) map[string]any {
	t.Helper()
	logged, line := j.only(t), map[string]any{}
	for key, names := range spellings {
		for _, name := range names {
			if v, ok := logged[name]; ok {
				line[key] = v
				break
			}
		}
	}
	return line
}

// check compares what a contender did with what is asked of all.
func (a attempt) check(t *testing.T, work contender.Work, code codes.Code, echoed string, log *journal) {
	t.Helper()
	if code != a.code {
		t.Errorf("the client got %v, want %v", code, a.code)
	}
	if echoed == "" || a.id != "" && echoed != a.id {
		t.Errorf("the request id echoed is %q, want %q or, if that is empty, a new one", echoed, a.id)
	}
	line := log.line(t)
	want := []string{"code", "duration", "id", "method", "peer"}
	if work == contender.W6 {
		want = append(want, "trace")
	}
	if got := slices.Sorted(maps.Keys(line)); !slices.Equal(slices.DeleteFunc(got, func(k string) bool { return k == "principal" }), want) {
		t.Errorf("the log has %v, want %v", line, want)
	}
	if line["id"] != echoed {
		t.Errorf("the log has the request id %v, want %q", line["id"], echoed)
	}
	if got, _ := line["principal"].(string); got != a.principal {
		t.Errorf("the log has the principal %q, want %q", got, a.principal)
	}
	if got := logged(line["code"]); got != a.code {
		t.Errorf("the log has the code %v, want %v", line["code"], a.code)
	}
}

// logged returns the code that was logged as a code's or an HTTP status.
func logged(v any) codes.Code {
	switch v := v.(type) {
	case float64:
		return codeOf(int(v))
	case string:
		for code := codes.OK; code <= codes.Unauthenticated; code++ {
			if strings.EqualFold(code.String(), strings.ReplaceAll(v, "_", "")) {
				return code
			}
		}
	}
	return codes.Unknown
}

// codeOf is the code of the statuses that contenders answer with.
func codeOf(httpStatus int) codes.Code {
	switch httpStatus {
	case http.StatusOK:
		return codes.OK
	case http.StatusUnauthorized:
		return codes.Unauthenticated
	case http.StatusTooManyRequests:
		return codes.ResourceExhausted
	case http.StatusInternalServerError:
		return codes.Internal
	}
	return codes.Unknown
}

// start makes the parts of an attempt.
func (a attempt) start(t *testing.T, work contender.Work) (*contender.Parts, *journal) {
	log := &journal{}
	p := contender.NewParts(work, log)
	t.Cleanup(p.Close)
	p.Limiter = rate.NewLimiter(0, a.tokens)
	return p, log
}

// measured fails unless the histogram of durations has one call.
func measured(t *testing.T, p *contender.Parts) {
	t.Helper()
	var got metricdata.ResourceMetrics
	if err := p.Reader.Collect(context.WithoutCancel(t.Context()), &got); err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, scope := range got.ScopeMetrics {
		for _, m := range scope.Metrics {
			names = append(names, m.Name)
			if h, ok := m.Data.(metricdata.Histogram[float64]); ok && len(h.DataPoints) == 1 && h.DataPoints[0].Count == 1 {
				return
			}
		}
	}
	t.Errorf("the metrics are %v, want a histogram of durations with one call", names)
}

// TestSameWorkGRPC proves that contenders for gRPC treat every call alike.
func TestSameWorkGRPC(t *testing.T) {
	t.Parallel()
	for _, c := range contender.AllGRPC() {
		for _, work := range []contender.Work{contender.W5, contender.W6} {
			if work == contender.W6 && !c.Telemetry {
				continue
			}
			for _, a := range attempts {
				t.Run(c.Name+"/"+map[contender.Work]string{contender.W5: "W5", contender.W6: "W6"}[work]+"/"+a.name, func(t *testing.T) {
					t.Parallel()
					p, log := a.start(t, work)
					srv := c.Server(p)
					client := dial(t, srv)
					var header, trailer metadata.MD
					_, err := client.Unary(a.outgoing(t.Context()), &pb.UnaryRequest{Id: a.asked}, grpc.Header(&header), grpc.Trailer(&trailer))
					stopped(srv) // the line is written after the client has its answer
					echoed := append(header.Get("x-request-id"), trailer.Get("x-request-id")...)
					a.check(t, work, status.Code(err), strings.Join(echoed, ","), log)
					if work == contender.W6 {
						measured(t, p)
					}
				})
			}
		}
	}
}

// stopped waits for the calls of a server to end.
func stopped(srv contender.Server) {
	if s, ok := srv.(interface{ GracefulStop() }); ok {
		s.GracefulStop()
	}
}

func (a attempt) outgoing(ctx context.Context) context.Context {
	if a.id != "" {
		ctx = metadata.AppendToOutgoingContext(ctx, "x-request-id", a.id)
	}
	if a.token != "" {
		ctx = metadata.AppendToOutgoingContext(ctx, "authorization", "Bearer "+a.token)
	}
	return ctx
}

// ask makes the attempt as a request.
func (a attempt) ask(h http.Handler, r *http.Request) *httptest.ResponseRecorder {
	if a.id != "" {
		r.Header.Set(contender.RequestID, a.id)
	}
	if a.token != "" {
		r.Header.Set("Authorization", "Bearer "+a.token)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// echo returns the request id of the answer.
func echo(w *httptest.ResponseRecorder) string {
	return strings.Join(w.Result().Header.Values(contender.RequestID), ",")
}

// TestSameWorkHTTP proves that contenders for net/http treat every request alike.
func TestSameWorkHTTP(t *testing.T) {
	t.Parallel()
	handler := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Has("panic") {
			panic("the request asked for it")
		}
	})
	for _, c := range contender.AllHTTP() {
		for _, a := range attempts {
			t.Run(c.Name+"/"+a.name, func(t *testing.T) {
				t.Parallel()
				work := contender.W5
				if c.Telemetry {
					work = contender.W6
				}
				p, log := a.start(t, work)
				w := a.ask(c.Handler(p, pattern, handler), httptest.NewRequest(http.MethodGet, "/books/list?"+a.asked, nil))
				a.check(t, work, codeOf(w.Code), echo(w), log)
				if c.Telemetry {
					measured(t, p)
				}
			})
		}
	}
}

// TestSameWorkREST proves that the ways of serving REST treat every request alike.
func TestSameWorkREST(t *testing.T) {
	t.Parallel()
	for _, c := range contender.AllREST() {
		if c.Works == nil {
			continue
		}
		for _, a := range attempts {
			t.Run(c.Name+"/"+a.name, func(t *testing.T) {
				t.Parallel()
				p, log := a.start(t, contender.W5)
				h, stop, err := c.Handler(p)
				if err != nil {
					t.Fatal(err)
				}
				w := a.ask(h, httptest.NewRequest(http.MethodGet, "/v1/conformance/"+a.asked, nil))
				stop()
				a.check(t, contender.W5, codeOf(w.Code), echo(w), log)
			})
		}
	}
}

// TestSameLine proves that the lines written by hand tell what this library's line
// tells, of an answer and of a refusal. What goes out as bytes it knows on a gRPC
// connection, where the others would have to ask for it.
func TestSameLine(t *testing.T) {
	t.Parallel()
	for _, a := range []attempt{attempts[0], attempts[2]} {
		for _, work := range []contender.Work{contender.W5, contender.W6} {
			rpc, web := a.linesGRPC(t, work), a.linesHTTP(t, work)
			for name, line := range rpc {
				sameLine(t, "gRPC, "+a.name+", "+name, line, rpc["crosscut"])
			}
			for name, line := range web {
				sameLine(t, "net/http, "+a.name+", "+name, line, web["crosscut"])
			}
		}
	}
}

// linesGRPC are the lines of the contenders for gRPC but go-grpc-middleware, whose
// logging writes its own, which has more.
func (a attempt) linesGRPC(t *testing.T, work contender.Work) map[string]map[string]any {
	t.Helper()
	lines := map[string]map[string]any{}
	for _, c := range contender.AllGRPC() {
		if c.Name == "go-grpc-middleware" || work == contender.W6 && !c.Telemetry {
			continue
		}
		p, log := a.start(t, work)
		srv := c.Server(p)
		_, err := dial(t, srv).Unary(a.outgoing(t.Context()), &pb.UnaryRequest{Id: a.asked})
		if status.Code(err) != a.code {
			t.Errorf("%s: %v", c.Name, err)
		}
		stopped(srv)
		lines[c.Name] = log.only(t)
		delete(lines[c.Name], "sent_bytes") // known on a connection, where others had to ask for it
		delete(lines[c.Name], "received_bytes")
	}
	return lines
}

// linesHTTP are the lines of the contenders for net/http but chi, which stands beside
// chi-same-line for its usual line.
func (a attempt) linesHTTP(t *testing.T, work contender.Work) map[string]map[string]any {
	t.Helper()
	lines := map[string]map[string]any{}
	for _, c := range contender.AllHTTP() {
		if c.Name == "chi" || work == contender.W6 && !c.Telemetry {
			continue
		}
		p, log := a.start(t, work)
		a.ask(c.Handler(p, pattern, ok), httptest.NewRequest(http.MethodGet, "/books/list", nil))
		lines[c.Name] = log.only(t)
	}
	return lines
}

// sameLine compares the line of a contender with this library's. What differs by call
// or by the spelling of a library has to be there, the rest has to be the same. A
// refusal has no principal, which a line written by hand may say, and an error.
func sameLine(t *testing.T, name string, line, want map[string]any) {
	t.Helper()
	for key, v := range want {
		got, there := line[key]
		switch key {
		case "time", "duration", "peer", "method", "route", "sent_bytes":
			if !there {
				t.Errorf("%s: the line lacks %s", name, key)
			}
		case "trace_id", "span_id":
			if id, _ := got.(string); len(id) != len(v.(string)) || strings.Trim(id, "0") == "" {
				t.Errorf("%s: %s is %v", name, key, got)
			}
		case "error", "denied":
		default:
			if got != v {
				t.Errorf("%s: %s is %v, want %v", name, key, got, v)
			}
		}
	}
}

// TestSameWorkConnect proves that connect does the same work over its protocol.
func TestSameWorkConnect(t *testing.T) {
	t.Parallel()
	for _, a := range attempts {
		t.Run(a.name, func(t *testing.T) {
			t.Parallel()
			p, log := a.start(t, contender.W5)
			body, err := proto.Marshal(&pb.UnaryRequest{Id: a.asked})
			if err != nil {
				t.Fatal(err)
			}
			r := httptest.NewRequest(http.MethodPost, pb.ConformanceService_Unary_FullMethodName, io.NopCloser(bytes.NewReader(body)))
			r.Header.Set("Content-Type", "application/proto")
			w := a.ask(contender.Connect(p), r)
			a.check(t, contender.W5, codeOf(w.Code), echo(w), log)
		})
	}
}
