package main

import (
	"bytes"
	"context"
	"net"
	"strings"
	"testing"
	"time"
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
	out := &stopAt{text: "Ctrl-C ends it", stop: cancel}
	if err := run(ctx, []string{"-grpc", "localhost:0", "-http", "localhost:0"}, out); err != nil {
		t.Fatal(err)
	}
	if !out.found {
		t.Errorf("the commands to try were not printed:\n%s", out.String())
	}
}

// stopAt calls stop when text has been written.
type stopAt struct {
	bytes.Buffer
	text  string
	stop  func()
	found bool
}

func (s *stopAt) Write(p []byte) (int, error) {
	n, err := s.Buffer.Write(p)
	if strings.Contains(s.String(), s.text) {
		s.found = true
		s.stop()
	}
	return n, err
}
