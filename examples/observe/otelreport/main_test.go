package main

import (
	"os"
	"strings"
	"testing"
)

const written = "../../../docs/otel-differences.md"

// TestPageIsCurrent plays all scenes, so it fails for a difference that nothing
// explains, and for an explanation that is no longer needed, as well.
func TestPageIsCurrent(t *testing.T) {
	t.Parallel()
	page, err := report(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	committed, err := os.ReadFile(written)
	if err != nil {
		t.Fatal(err)
	}
	if page != string(committed) {
		t.Errorf("%s is not what the servers report; run make otelreport and read what has changed", written)
	}
}

// TestTableFails checks that the table cannot be wrong in silence.
func TestTableFails(t *testing.T) {
	t.Parallel()
	one := comparison{scene{title: "a call"}, facts{"span name": "`GET`", "span kind": "`SERVER`"}, facts{"span name": "`GET /`", "span kind": "`SERVER`"}}
	for _, tt := range []struct {
		name  string
		table []explanation
		want  string // in the error, "" for none
	}{
		{"explained", []explanation{{what: "names", fact: "span name", theirs: "GET", ours: "/"}}, ""},
		{"not explained", nil, "nothing explains why"},
		{"explained for another value", []explanation{{what: "names", fact: "span name", theirs: absent}}, "nothing explains why"},
		{"explained for a part of the name", []explanation{{what: "names", fact: "span"}}, "nothing explains why"},
		{"too much", []explanation{{what: "names", fact: "span name"}, {what: "kinds", fact: "span kind"}}, `"kinds", explains no difference`},
	} {
		err := checkExplained([]comparison{one}, tt.table)
		if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: error %v, want %q", tt.name, err, tt.want)
		}
	}
}

func TestVersionOfThePage(t *testing.T) {
	t.Parallel()
	mod, err := os.ReadFile("../go.mod")
	if err != nil {
		t.Fatal(err)
	}
	for _, module := range []string{"google.golang.org/grpc/otelgrpc ", "net/http/otelhttp "} {
		if !strings.Contains(string(mod), module+contribVersion) {
			t.Errorf("the page says %s of %s, which go.mod does not", contribVersion, module)
		}
	}
}
