package main

import (
	"bytes"
	"errors"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"google.golang.org/protobuf/types/descriptorpb"

	policyv1 "github.com/crosscut-go/crosscut/proto/crosscut/policy/v1"
)

var update = flag.Bool("update", false, "write the golden files in testdata")

// asCommand makes the test binary the command itself.
const asCommand = "CROSSCUT_TEST_RUN_MAIN"

func TestMain(m *testing.M) {
	if os.Getenv(asCommand) != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

// result is what became of one run of the command.
type result struct {
	code           int
	stdout, stderr string
}

func crosscut(stdin []byte, args ...string) result {
	var out, errs bytes.Buffer
	code := run(args, bytes.NewReader(stdin), &out, &errs)
	return result{code, out.String(), errs.String()}
}

// TestProcess is the command as a process: arguments, standard input and the exit
// status.
func TestProcess(t *testing.T) {
	t.Parallel()
	executable, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for code, stdin := range [][]byte{marshal(t, set(shop()...)), marshal(t, setOf(nil, shop()...)), nil} {
		c := exec.CommandContext(t.Context(), executable, "audit")
		c.Env = append(os.Environ(), asCommand+"=1")
		c.Stdin = bytes.NewReader(stdin)
		out, err := c.Output()
		var exit *exec.ExitError
		if err != nil && !errors.As(err, &exit) {
			t.Fatal(err)
		}
		if got := c.ProcessState.ExitCode(); got != code {
			t.Errorf("exit status %d, want %d", got, code)
		}
		if shown := strings.Contains(string(out), "/test.shop.v1.Shop/GetOrder"); shown != (code < exitUsage) {
			t.Errorf("status %d, and standard output is %q", code, out)
		}
	}
}

// TestFormats compares what is printed with the files in testdata; go test -update
// writes them.
func TestFormats(t *testing.T) {
	t.Parallel()
	wire := marshal(t, set(shop()...))
	for format, golden := range map[string]string{"table": "shop.txt", "json": "shop.json", "markdown": "shop.md"} {
		t.Run(format, func(t *testing.T) {
			t.Parallel()
			got := crosscut(wire, "audit", "-format", format)
			if got.code != exitOK || got.stderr != "" {
				t.Fatalf("exit status %d, %s", got.code, got.stderr)
			}
			path := filepath.Join("testdata", golden)
			if *update {
				if err := os.WriteFile(path, []byte(got.stdout), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if got.stdout != string(want) {
				t.Errorf("%s\n%s", path, diff(path, string(want), got.stdout))
			}
			if named := crosscut(nil, "audit", "-format", format, write(t, "shop.binpb", wire)); named != got {
				t.Errorf("of a file: %+v, want %+v", named, got)
			}
		})
	}
	if got := crosscut(wire, "audit", "-"); got != crosscut(wire, "audit") || got.code != exitOK {
		t.Errorf("of -: %+v, want standard input", got)
	}
}

// TestFindings: methods without a valid policy are listed, after the whole table.
func TestFindings(t *testing.T) {
	t.Parallel()
	broken := rpc{name: "Broken", policy: &policyv1.Policy{Access: policyv1.Access_ACCESS_PUBLIC, Scopes: []string{"a", ""}}}
	got := crosscut(marshal(t, setOf(nil, append(shop(), broken)...)), "audit")
	if got.code != exitFinding {
		t.Errorf("exit status %d, want %d", got.code, exitFinding)
	}
	for _, want := range []string{
		"crosscut audit: 2 of 6 methods have no valid policy:\n",
		"\n  /test.shop.v1.Shop/Broken: option (crosscut.policy.v1.method) of test.shop.v1.Shop.Broken: scopes: access is public",
		"\n    option (crosscut.policy.v1.method) of test.shop.v1.Shop.Broken: scopes: one of them is empty",
		"\n  /test.shop.v1.Shop/Chat: no policy says who may call it",
	} {
		if !strings.Contains(got.stderr, want) {
			t.Errorf("standard error is\n%swant it to contain %q", got.stderr, want)
		}
	}
	for _, want := range []string{"/test.shop.v1.Shop/GetOrder", "undeclared", "invalid"} {
		if !strings.Contains(got.stdout, want) {
			t.Errorf("standard output is\n%swant it to contain %q", got.stdout, want)
		}
	}
}

// TestImages: the files that an image only imports are not audited, whatever services
// they have; those of a plain descriptor set all are. A set with nothing to audit is
// the wrong one.
func TestImages(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name string
		set  *descriptorpb.FileDescriptorSet
		want bool
	}{
		{"set", set(shop()...), true},
		{"image", markImports(set(shop()...), func(name string) bool { return name != "shop.proto" }), true},
		{"image that imports it", markImports(set(shop()...), func(string) bool { return true }), false},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got := crosscut(marshal(t, test.set), "audit")
			if audited := strings.Contains(got.stdout, "/test.shop.v1.Shop/"); audited != test.want || got.code != status(test.want) {
				t.Errorf("%+v, want the shop audited: %v", got, test.want)
			}
		})
	}
}

func status(audited bool) int {
	if audited {
		return exitOK
	}
	return exitUsage
}

// TestGolden: written once, equal then, and a difference is shown and found.
func TestGolden(t *testing.T) {
	t.Parallel()
	golden := filepath.Join(t.TempDir(), "policy.md")
	before := shop()
	after := shop()
	after[0].policy = &policyv1.Policy{Access: policyv1.Access_ACCESS_PUBLIC}
	args := []string{"audit", "-format", "markdown", "-golden", golden}

	if got := crosscut(marshal(t, set(before...)), args...); got.code != exitUsage || !strings.Contains(got.stderr, "write it with -update") {
		t.Errorf("without the file: %+v, want the way to write it", got)
	}
	if got := crosscut(marshal(t, set(before...)), append(args, "-update")...); got != (result{}) {
		t.Errorf("writing: %+v", got)
	}
	if got := crosscut(marshal(t, set(before...)), args...); got != (result{}) {
		t.Errorf("unchanged: %+v, want nothing", got)
	}
	got := crosscut(marshal(t, set(after...)), args...)
	for _, want := range []string{
		"--- " + golden + "\n+++ now\n@@ -1,7 +1,7 @@\n",
		"\n-| `/test.shop.v1.Shop/GetOrder` | unary | `GET /v1/orders/{id}` | authenticated | `scopes: orders.read` |\n",
		"\n+| `/test.shop.v1.Shop/GetOrder` | unary | `GET /v1/orders/{id}` | public |  |\n",
	} {
		if !strings.Contains(got.stdout, want) {
			t.Errorf("got\n%swant it to contain\n%s", got.stdout, want)
		}
	}
	if got.code != exitFinding || !strings.Contains(got.stderr, "accept it with -update") {
		t.Errorf("changed: %+v, want a finding", got)
	}
	undeclared := crosscut(marshal(t, setOf(nil, before...)), args...)
	if undeclared.code != exitFinding || !strings.Contains(undeclared.stderr, "1 of 5 methods") || !strings.Contains(undeclared.stderr, "-update") {
		t.Errorf("changed and undeclared: %+v, want both findings", undeclared)
	}
	if got := crosscut(marshal(t, setOf(nil, before...)), append(args, "-update")...); got.code != exitFinding {
		t.Errorf("writing what is undeclared: %+v, want a finding", got)
	}
}

// TestUsage: what cannot be done is said, with what to do.
func TestUsage(t *testing.T) {
	t.Parallel()
	valid := marshal(t, set(shop()...))
	alone := set(shop()...)
	alone.File = alone.GetFile()[len(alone.GetFile())-1:]
	for _, test := range []struct {
		name  string
		stdin []byte
		args  []string
		want  string
	}{
		{"nothing", valid, nil, "usage: crosscut audit"},
		{"another command", valid, []string{"audti"}, `there is no command "audti"`},
		{"unknown flag", valid, []string{"audit", "-all"}, "-all"},
		{"unknown format", valid, []string{"audit", "-format", "xml"}, `-format "xml": use table, json or markdown`},
		{"update of nothing", valid, []string{"audit", "-update"}, "-update: say with -golden which file"},
		{"two files", valid, []string{"audit", "a", "b"}, "2 files are named"},
		{"flags after the file", valid, []string{"audit", "a", "-format", "json"}, "after the flags there can be one"},
		{"no such file", valid, []string{"audit", filepath.Join("testdata", "nowhere")}, "nowhere"},
		{"empty input", nil, []string{"audit"}, "standard input is empty; pipe a descriptor set in"},
		{"text", []byte("syntax = \"proto3\";"), []string{"audit"}, "standard input: it is not a binary FileDescriptorSet"},
		{"no files", []byte{0x10, 0x01}, []string{"audit"}, "it has no files"},
		{"without imports", marshal(t, alone), []string{"audit"}, "pass --include_imports"},
		{"golden folder", valid, []string{"audit", "-golden", "testdata"}, "testdata"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got := crosscut(test.stdin, test.args...)
			if got.code != exitUsage || got.stdout != "" || !strings.Contains(got.stderr, test.want) {
				t.Errorf("got %+v, want status %d and %q", got, exitUsage, test.want)
			}
		})
	}
	for _, args := range [][]string{{"help"}, {"-h"}, {"audit", "-help"}} {
		if got := crosscut(nil, args...); got.code != exitOK || !strings.HasPrefix(got.stdout, "usage:") || got.stderr != "" {
			t.Errorf("%v: %+v, want the usage", args, got)
		}
	}
}
