package main

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

// pasted is what the printed commands print when they are pasted, in their order.
var pasted = []struct{ program, prints string }{
	{"curl", `"title":"Kindred"}} 200`},
	{"curl", "HTTP/2 401"}, // the option -i shows the headers
	{"curl", `"parcel":"at the door"}} 200`},
	{"curl", `"permission denied","details":[]} 403`},
	{"curl", "alice: 1 × Kindred 200"},
	{"curl", `"permission denied","details":[]} 403`},
	{"curl", "2 orders 200"},
	{"curl", `"title":"Fledgling"}} 200`},
	{"grpcurl", "crosscut.examples.secureshop.v1.SecureShopService grpc.health.v1.Health"},
	{"grpcurl", `"parcel": "at the door"`},
	{"grpcurl", "Code: PermissionDenied"},
	{"grpcurl", `"parcel": "at the door" } } ERROR: Code: PermissionDenied`},
	{"grpcurl", "Code: PermissionDenied"},
}

// What is printed to be pasted works when it is pasted; grpcurl is not everywhere.
func TestCommands(t *testing.T) {
	t.Parallel()
	variables, commands := printed(serve(t).String())
	if len(commands) != len(pasted) || len(variables) != 3 {
		t.Fatalf("%d commands and %d variables were printed; want %d and 3", len(commands), len(variables), len(pasted))
	}
	for i, command := range commands {
		want := pasted[i]
		if !strings.HasPrefix(command, want.program+" ") {
			t.Errorf("%s\nis not a line for %s", command, want.program)
		}
		if _, err := exec.LookPath(want.program); err != nil {
			t.Logf("not tried: %s", command)
			continue
		}
		if want.program == "curl" {
			command += ` --silent --show-error --write-out ' %{http_code}'`
		}
		// grpcurl's exit code is the status, so only the text counts.
		text, _ := exec.CommandContext(t.Context(), "sh", "-c", strings.Join(variables, "\n")+"\n"+command).CombinedOutput()
		if !strings.Contains(withoutBlanks(string(text)), withoutBlanks(want.prints)) {
			t.Errorf("%s\nprints %s\nwant %s", command, text, want.prints)
		}
	}
}

// withoutBlanks makes JSON comparable: protojson varies its blanks on purpose.
func withoutBlanks(text string) string { return strings.Join(strings.Fields(text), "") }

// printed finds the lines that are there to be pasted.
func printed(text string) (variables, commands []string) {
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		switch word, _, _ := strings.Cut(line, " "); {
		case strings.HasPrefix(line, "CA="), strings.HasPrefix(line, "ALICE="), strings.HasPrefix(line, "CAROL="):
			variables = append(variables, line)
		case word == "curl", word == "grpcurl":
			commands = append(commands, line)
		}
	}
	return variables, commands
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
