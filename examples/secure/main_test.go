package main

import (
	"context"
	"flag"
	"net"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/crosscut-go/crosscut/examples/internal/demo"
)

// No goroutine outlives the example: not of a call, a server or a client.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// anyPorts are arguments that disturb nobody.
func anyPorts(more ...string) []string {
	return append([]string{"-grpc", "localhost:0", "-http", "localhost:0", "-issuer", "localhost:0"}, more...)
}

var update = flag.Bool("update", false, "write testdata/tour.txt")

// The tour is what people judge the library's security by, so all of it is checked:
// what each caller got on each transport, and what the log says of it.
func TestTour(t *testing.T) {
	t.Parallel()
	var out demo.Screen
	if err := run(t.Context(), anyPorts("-once"), &out); err != nil {
		t.Fatalf("%v\n%s", err, out.String())
	}
	got := port.ReplaceAllString(out.String(), "localhost:port")
	if *update {
		if err := os.WriteFile("testdata/tour.txt", []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile("testdata/tour.txt")
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("the tour is not that of testdata/tour.txt; if it is better, go test ./examples/secure -update and review the difference\n%s",
			difference(string(want), got))
	}
}

var port = regexp.MustCompile(`(127\.0\.0\.1|\[::1\]):\d+`)

// difference is the lines that only one of the texts has.
func difference(want, got string) string {
	var text strings.Builder
	for _, side := range []struct{ mark, has, lacks string }{{"- ", want, got}, {"+ ", got, want}} {
		lacks := strings.Split(side.lacks, "\n")
		for line := range strings.SplitSeq(side.has, "\n") {
			if !slices.Contains(lacks, line) {
				text.WriteString(side.mark + line + "\n")
			}
		}
	}
	return text.String()
}

// Whatever the file says, no two transports decide differently, and no token is in
// what the tour prints of the log.
func TestTourAgrees(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("testdata/tour.txt")
	if err != nil {
		t.Fatal(err)
	}
	for _, never := range []string{"NOT ALIKE", "eyJ"} {
		if strings.Contains(string(text), never) {
			t.Errorf("the tour says %q", never)
		}
	}
}

func TestBusyPortNamesTheFlag(t *testing.T) {
	t.Parallel()
	lis, err := net.Listen("tcp", "localhost:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = lis.Close() }()
	for _, flag := range []string{"-grpc", "-http", "-issuer"} {
		err := run(t.Context(), anyPorts("-once", flag, lis.Addr().String()), &demo.Screen{})
		if err == nil || !strings.Contains(err.Error(), flag+" ") {
			t.Errorf("with %s on a busy port: %v; want an error that names the flag", flag, err)
		}
	}
}

// Whoever listens on all addresses is still found by the clients on this machine.
func TestAllAddresses(t *testing.T) {
	t.Parallel()
	if err := run(t.Context(), []string{"-once", "-grpc", ":0", "-http", ":0", "-issuer", ":0"}, &demo.Screen{}); err != nil {
		t.Error(err)
	}
}

// serve runs the example until the test ends, and returns what it printed when it
// was ready.
func serve(t *testing.T) *demo.Screen {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	var out demo.Screen
	ended := make(chan error, 1)
	go func() { ended <- run(ctx, anyPorts(), &out) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	if err := out.Wait(ctx, "Ctrl-C ends it"); err != nil {
		t.Fatalf("the commands to try were not printed: %v\n%s", err, out.String())
	}
	return &out
}
