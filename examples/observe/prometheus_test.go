package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/crosscut-go/crosscut/examples/internal/demo"
)

// find returns the path of a program of Debian's package prometheus.
func find(t *testing.T, program string) string {
	t.Helper()
	path, err := exec.LookPath(program)
	if err != nil {
		t.Skipf("NOT TESTED: whether a real Prometheus understands the metrics, since there is no %s here; apt-get install prometheus", program)
	}
	return path
}

// TestPromtool has the metrics that strangers to this code would see checked for
// form and good manners.
func TestPromtool(t *testing.T) {
	t.Parallel()
	promtool := find(t, "promtool")
	s := startForTest(t)
	ask(t, s, "Accept", "application/json")
	get(t, "http://"+s.addr.http+"/v1/books/flood")
	metrics := get(t, "http://"+s.addr.http+"/metrics")
	if !bytes.Contains(metrics, []byte("http_server_request_duration_seconds_count{")) {
		t.Fatalf("no durations in\n%s", metrics)
	}
	cmd := exec.CommandContext(t.Context(), promtool, "check", "metrics")
	cmd.Stdin = bytes.NewReader(metrics)
	if said, err := cmd.CombinedOutput(); err != nil || len(said) > 0 {
		t.Errorf("promtool check metrics: %v\n%s", err, said)
	}
}

// TestPrometheus runs a real Prometheus, which scrapes the shop, finds that it is
// up, answers every query of the dashboard, and knows the exemplars.
func TestPrometheus(t *testing.T) {
	t.Parallel()
	prometheus := find(t, "prometheus")
	s := startForTest(t)
	ask(t, s, "Traceparent", "00-"+callersTrace+"-"+callersSpan+"-01")
	get(t, "http://"+s.addr.http+"/v1/books/flood")
	base := runPrometheus(t, prometheus, s.addr.http)

	ctx, cancel := context.WithTimeout(t.Context(), 90*time.Second)
	defer cancel()
	const count = `sum(http_server_request_duration_seconds_count{http_route="/v1/books/{id}"})`
	for result := ""; !strings.Contains(result, `"2"]`); result = query(ctx, t, base, "query", url.Values{"query": {count}}) {
		pause(ctx, t)
	}
	exemplars := query(ctx, t, base, "query_exemplars", url.Values{
		"query": {"http_server_request_duration_seconds_bucket"},
		"start": {fmt.Sprint(time.Now().Add(-time.Hour).Unix())}, "end": {fmt.Sprint(time.Now().Add(time.Hour).Unix())},
	})
	if !strings.Contains(exemplars, callersTrace) {
		t.Errorf("no exemplar leads to trace %s: %s", callersTrace, exemplars)
	}
	for _, expr := range dashboardQueries(t) {
		result := query(ctx, t, base, "query", url.Values{"query": {expr}})
		if !strings.Contains(result, `"success"`) {
			t.Errorf("Prometheus does not answer the dashboard's query %s: %s", expr, result)
		}
	}
}

// runPrometheus starts a Prometheus that scrapes target, and returns its address.
func runPrometheus(t *testing.T, program, target string) string {
	t.Helper()
	dir := t.TempDir()
	config := filepath.Join(dir, "prometheus.yml")
	text := fmt.Sprintf("scrape_configs:\n- job_name: shop\n  scrape_interval: 200ms\n  scrape_timeout: 200ms\n  static_configs:\n  - targets: [%q]\n", target)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	addr := freeAddress(t)
	var logs demo.Screen
	cmd := exec.CommandContext(t.Context(), program, "--config.file="+config, "--storage.tsdb.path="+filepath.Join(dir, "data"),
		"--web.listen-address="+addr, "--enable-feature=exemplar-storage", "--log.level=warn")
	cmd.Stdout, cmd.Stderr = &logs, &logs
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if t.Failed() {
			t.Log(logs.String())
		}
	})
	return "http://" + addr
}

// freeAddress returns an address that nobody listens on: Prometheus does not tell
// which one it got.
func freeAddress(t *testing.T) string {
	t.Helper()
	lis, err := net.Listen("tcp", "localhost:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = lis.Close() }()
	return lis.Addr().String()
}

// pause waits before the next look at a program that cannot tell when it is ready.
func pause(ctx context.Context, t *testing.T) {
	t.Helper()
	select {
	case <-time.After(50 * time.Millisecond):
	case <-ctx.Done():
		t.Fatal("Prometheus has not scraped the shop: ", context.Cause(ctx))
	}
}

// query asks Prometheus, and returns "" while it does not answer.
func query(ctx context.Context, t *testing.T, base, what string, values url.Values) string {
	t.Helper()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, base+"/api/v1/"+what+"?"+values.Encode(), http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return ""
	}
	defer func() { _ = resp.Body.Close() }()
	text, _ := io.ReadAll(resp.Body)
	return string(text)
}

func get(t *testing.T, target string) []byte {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, target, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// dashboard is what the tests know of a Grafana dashboard.
type dashboard struct {
	Title  string `json:"title"`
	UID    string `json:"uid"`
	Panels []struct {
		Title   string `json:"title"`
		Targets []struct {
			Expr string `json:"expr"`
		} `json:"targets"`
	} `json:"panels"`
}

// dashboardQueries returns the queries of the dashboard as Grafana would send them.
func dashboardQueries(t *testing.T) []string {
	t.Helper()
	text, err := os.ReadFile("grafana/calls.json")
	if err != nil {
		t.Fatal(err)
	}
	var d dashboard
	if err := json.Unmarshal(text, &d); err != nil {
		t.Fatal(err)
	}
	variables := strings.NewReplacer("$__rate_interval", "1m", "$job", ".*")
	var queries []string
	for _, p := range d.Panels {
		for _, target := range p.Targets {
			queries = append(queries, variables.Replace(target.Expr))
		}
	}
	if len(queries) < 8 || slices.Contains(queries, "") {
		t.Fatalf("the dashboard has %d queries: %q", len(queries), queries)
	}
	return queries
}

// words are the names of metrics and labels in a query: what has an underscore and
// is no function of PromQL.
var words = regexp.MustCompile(`\b(http|rpc|error|target|book)_[a-z_]+`)

// TestDashboardShowsWhatIsEmitted fails for a query about a metric or label that
// the shop does not have, which Grafana would show as an empty panel.
func TestDashboardShowsWhatIsEmitted(t *testing.T) {
	t.Parallel()
	s := startForTest(t)
	ask(t, s, "Accept", "application/json")
	get(t, "http://"+s.addr.http+"/v1/books/flood")
	tour := &tour{out: io.Discard, system: s}
	if err := tour.run(t.Context()); err != nil {
		t.Fatal(err)
	}
	metrics := string(get(t, "http://"+s.addr.http+"/metrics"))
	for _, expr := range dashboardQueries(t) {
		for _, name := range words.FindAllString(expr, -1) {
			if !strings.Contains(metrics, name) {
				t.Errorf("the dashboard asks for %s, which is not emitted: %s", name, expr)
			}
		}
	}
}
