package main

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

// What is printed to be pasted works when it is pasted.
func TestCurlLines(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("curl"); err != nil {
		t.Skip("there is no curl on this machine")
	}
	out := serve(t)
	var variables, curls []string
	for line := range strings.Lines(out.String()) {
		line = strings.TrimSpace(line)
		switch {
		case strings.HasPrefix(line, "CA="), strings.HasPrefix(line, "ALICE="), strings.HasPrefix(line, "CAROL="):
			variables = append(variables, line)
		case strings.HasPrefix(line, "curl "):
			curls = append(curls, line)
		}
	}
	want := []string{
		`"title":"Kindred"}} 200`,
		"HTTP/2 401", // -i shows the headers
		`"parcel":"at the door"}} 200`,
		`"permission denied","details":[]} 403`,
		"alice: 1 × Kindred 200",
		`"permission denied","details":[]} 403`,
		"2 orders 200",
		`"title":"Fledgling"}} 200`,
	}
	if len(curls) != len(want) || len(variables) != 3 {
		t.Fatalf("%d curl lines and %d variables; want %d and 3:\n%s", len(curls), len(variables), len(want), out.String())
	}
	for i, line := range curls {
		script := strings.Join(variables, "\n") + "\n" + line + ` --silent --show-error --write-out ' %{http_code}'`
		got, err := exec.CommandContext(t.Context(), "sh", "-c", script).CombinedOutput()
		if err != nil {
			t.Errorf("%s: %v\n%s", line, err, got)
		}
		if text := strings.Join(strings.Fields(string(got)), " "); !strings.Contains(text, want[i]) {
			t.Errorf("%s\nprinted %s\nwant %s", line, text, want[i])
		}
	}
}

// The authority's certificate is there while the example runs, and not longer.
func TestCertificateIsRemoved(t *testing.T) {
	t.Parallel()
	var file string
	t.Run("serving", func(t *testing.T) {
		_, after, _ := strings.Cut(serve(t).String(), "CA=")
		file, _, _ = strings.Cut(after, "\n")
		if _, err := os.Stat(file); err != nil {
			t.Error(err)
		}
	})
	if _, err := os.Stat(file); !os.IsNotExist(err) {
		t.Errorf("%s is still there: %v", file, err)
	}
}
