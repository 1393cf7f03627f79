package main

import (
	"bytes"
	"context"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/crosscut-go/crosscut/examples/internal/demo"
)

// The tour is the first thing a newcomer sees, so what it claims is checked: the
// same phases in the same order on every transport, and one log record a call.
func TestTour(t *testing.T) {
	var out bytes.Buffer
	if err := run(t.Context(), []string{"-once", "-grpc", "localhost:0", "-http", "localhost:0"}, &out); err != nil {
		t.Fatal(err)
	}
	text := out.String()
	for _, want := range []string{
		"innermost BeforeHandler    BookshopService/GetBook",
		"1 record: OK, alice",
		"1 record: Unauthenticated, nobody",
		"401 Unauthorized",
		"OK, 1 in, 2 out",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the tour does not show %q", want)
		}
	}
	if strings.Contains(text, "only here") {
		t.Error("a transport ran a phase that gRPC did not")
	}
	if t.Failed() {
		t.Log(text)
	}
}

func TestBusyPortNamesTheFlag(t *testing.T) {
	lis, err := net.Listen("tcp", "localhost:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = lis.Close() }()
	for _, flag := range []string{"-grpc", "-http"} {
		args := []string{"-once", "-grpc", "localhost:0", "-http", "localhost:0", flag, lis.Addr().String()}
		err := run(t.Context(), args, &bytes.Buffer{})
		if err == nil || !strings.Contains(err.Error(), flag+" ") {
			t.Errorf("with %s on a busy port: %v; want an error that names the flag", flag, err)
		}
	}
}

// Without -once the servers go on until the context ends.
func TestServesUntilCancelled(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	var out demo.Screen
	ended := make(chan error, 1)
	go func() { ended <- run(ctx, []string{"-grpc", "localhost:0", "-http", "localhost:0"}, &out) }()
	if err := out.Wait(ctx, "Ctrl-C ends it"); err != nil {
		t.Errorf("the commands to try were not printed: %v\n%s", err, out.String())
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
