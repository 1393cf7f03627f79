package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
)

// openMetrics is what Prometheus asks for where exemplars are wanted.
const openMetrics = "application/openmetrics-text; version=1.0.0"

// printMetrics prints how many calls the shop has counted, by their labels, and the
// exemplars that lead from there to the traces above.
func (t *tour) printMetrics(ctx context.Context) error {
	text, err := t.scrape(ctx)
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintf(t.out, "\nWhat Prometheus gets from http://%s/metrics, calls by their labels\n\n", t.system.addr.http); err != nil {
		return err
	}
	linked := map[string]bool{}
	for line := range strings.Lines(text) {
		if id := exemplar(line); id != "" {
			linked[id] = true
		}
		if strings.Contains(line, "_duration_seconds_count{") {
			if _, err := fmt.Fprint(t.out, "  ", short(withoutScope(line))); err != nil {
				return err
			}
		}
	}
	found := 0
	for _, id := range t.traces {
		if linked[id] {
			found++
		}
	}
	_, err = fmt.Fprintf(t.out, "\nExemplars lead to %d of the %d traces above, such as\n\n  %s\n", found, len(t.traces), firstExemplar(text))
	return err
}

// scrape reads /metrics as Prometheus does.
func (t *tour) scrape(ctx context.Context) (string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+t.system.addr.http+"/metrics", http.NoBody)
	if err != nil {
		return "", err
	}
	req.Header.Set("Accept", openMetrics)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return "", err
	}
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return "", err
	}
	return string(text), resp.Body.Close()
}

var (
	scope     = regexp.MustCompile(`otel_scope_[a-z_]+="[^"]*",?`)
	traceLink = regexp.MustCompile(`# \{.*trace_id="([0-9a-f]{32})"`)
)

// withoutScope leaves out the labels that name the instrumentation, which are the
// same everywhere.
func withoutScope(line string) string { return scope.ReplaceAllString(line, "") }

// exemplar returns the id of the trace that a line leads to, or "".
func exemplar(line string) string {
	if found := traceLink.FindStringSubmatch(line); found != nil {
		return found[1]
	}
	return ""
}

func firstExemplar(text string) string {
	for line := range strings.Lines(text) {
		if exemplar(line) != "" {
			return strings.TrimSpace(short(withoutScope(line)))
		}
	}
	return "none"
}

func (t *tour) printCommands() error {
	_, err := fmt.Fprintf(t.out, `
Now try it yourself; every call is logged below, with the ids of its trace:

  curl -i http://%[1]s/v1/books/1
  curl -i -H 'traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' http://%[1]s/v1/books/2
  curl -H 'Accept: %[3]s' http://%[1]s/metrics
  promtool check metrics < <(curl -s http://%[1]s/metrics)

Serving gRPC on %[2]s and HTTP on %[1]s, spans go to the collector on %[4]s; Ctrl-C ends it.
`, t.system.addr.http, t.system.addr.grpc, openMetrics, t.system.addr.otlp)
	return err
}
