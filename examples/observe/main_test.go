package main

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"flag"
	"net"
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/crosscut-go/crosscut/examples/internal/demo"
)

var update = flag.Bool("update", false, "rewrite the golden file")

// anywhere are flags that take free ports, so that tests disturb nobody.
var anywhere = []string{"-grpc", "localhost:0", "-http", "localhost:0"}

// What is different in every run: where the shop listens, and the exemplar, which
// holds ids and a time.
var (
	address = regexp.MustCompile(`127\.0\.0\.1:\d+|\[::1\]:\d+`)
	sample  = regexp.MustCompile(`(?m)^  .*# \{.*$`)
)

// TestTour compares the traces, metrics and log records that the tour shows with a
// file that a person has read.
func TestTour(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	if err := run(t.Context(), append([]string{"-once"}, anywhere...), &out); err != nil {
		t.Fatal(err)
	}
	got := address.ReplaceAllString(sample.ReplaceAllString(out.String(), "  EXEMPLAR"), "ADDRESS")
	const file = "testdata/tour.golden"
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatalf("%v; write it with go test -update and read it", err)
	}
	if got != string(want) {
		t.Errorf("the tour differs from %s (go test -update rewrites it):\n%s", file, got)
	}
}

func TestBusyPortNamesTheFlag(t *testing.T) {
	t.Parallel()
	lis, err := net.Listen("tcp", "localhost:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = lis.Close() }()
	for _, flag := range []string{"-grpc", "-http", "-warehouse", "-otlp"} {
		args := append([]string{"-once"}, append(anywhere, flag, lis.Addr().String())...)
		err := run(t.Context(), args, &bytes.Buffer{})
		if err == nil || !strings.Contains(err.Error(), flag+" ") {
			t.Errorf("with %s on a busy port: %v; want an error that names the flag", flag, err)
		}
	}
}

// TestServesUntilCancelled checks that without -once the servers go on until the
// context ends.
func TestServesUntilCancelled(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	defer cancel()
	var screen demo.Screen
	done := make(chan error, 1)
	go func() { done <- run(ctx, anywhere, &screen) }()
	if err := screen.Wait(ctx, "Ctrl-C ends it"); err != nil {
		t.Error(err)
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// startForTest starts the whole system on free ports.
func startForTest(t *testing.T) *system {
	t.Helper()
	const free = "localhost:0"
	s, err := start(t.Context(), addresses{free, free, free, free})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.stop(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// ask sends a request for a book with the header given.
func ask(t *testing.T, s *system, header, value string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+s.addr.http+"/v1/books/1", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set(header, value)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		t.Fatal(resp.Status)
	}
}

const (
	callersTrace = "0af7651916cd43dd8448eb211c80319c"
	forgedTrace  = "11111111111111111111111111111111"
	callersSpan  = "b7ad6b7169203331"
)

// TestWhichHeaderIsObeyed sends a trace as the header that it belongs in, which the
// trust Continue obeys down to the warehouse, and as the name under which
// grpc-gateway would let strangers write metadata, which nothing obeys.
func TestWhichHeaderIsObeyed(t *testing.T) {
	t.Parallel()
	s := startForTest(t)
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	ask(t, s, "Grpc-Metadata-Traceparent", "00-"+forgedTrace+"-"+callersSpan+"-01")
	if _, err := s.collector.await(ctx, traceOfLog(ctx, t, s), 3); err != nil {
		t.Error(err)
	}
	ask(t, s, "Traceparent", "00-"+callersTrace+"-"+callersSpan+"-01")
	spans, err := s.collector.await(ctx, callersTrace, 3)
	if err != nil {
		t.Fatal(err)
	}
	parent := callersSpan
	for i, want := range []string{"shop SERVER: GET /v1/books/{id}", "shop CLIENT: BookshopService/GetBook", "warehouse SERVER: BookshopService/GetBook"} {
		got := inOrder(spans)[i]
		if title(got) != want || hex.EncodeToString(got.GetParentSpanId()) != parent {
			t.Errorf("span %d is %q below %x, want %q below %s", i, title(got), got.GetParentSpanId(), want, parent)
		}
		parent = hex.EncodeToString(got.GetSpanId())
	}
	if forged, _ := s.collector.find(forgedTrace); len(forged) > 0 {
		t.Errorf("%d spans joined the forged trace", len(forged))
	}
}

// traceOfLog returns the id of the trace that the next log record belongs to.
func traceOfLog(ctx context.Context, t *testing.T, s *system) string {
	t.Helper()
	line, err := s.logs.Next(ctx)
	if err != nil {
		t.Fatal(err)
	}
	var record struct {
		TraceID string `json:"trace_id"`
	}
	if err := json.Unmarshal([]byte(line), &record); err != nil || record.TraceID == "" {
		t.Fatalf("no trace_id in %q: %v", line, err)
	}
	return record.TraceID
}
