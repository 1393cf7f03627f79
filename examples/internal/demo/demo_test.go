package demo_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/crosscut-go/crosscut/examples/internal/demo"
)

func TestLogKeepsLinesForTheTour(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var log demo.Log
		go func() {
			synctest.Wait() // Next waits by now
			_, _ = io.WriteString(&log, "one\n")
			_, _ = io.WriteString(&log, "two\n")
			_, _ = io.WriteString(&log, "three\n")
		}()
		for _, want := range []string{"one", "two"} {
			if line, err := log.Next(t.Context()); line != want || err != nil {
				t.Errorf("Next() = %q, %v; want %q", line, err, want)
			}
		}
		synctest.Wait()
		if rest := log.Take(); len(rest) != 1 || rest[0] != "three" {
			t.Errorf("Take() = %q; want the third line", rest)
		}
		if rest := log.Take(); len(rest) != 0 {
			t.Errorf("Take() = %q; want nothing twice", rest)
		}
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		if line, err := log.Next(ended); !errors.Is(err, context.Canceled) {
			t.Errorf("Next() = %q, %v; want the end of the context", line, err)
		}
	})
}

func TestLogSendsLaterLines(t *testing.T) {
	t.Parallel()
	var log demo.Log
	var out strings.Builder
	_, _ = io.WriteString(&log, "early\n")
	log.SendTo(&out)
	_, _ = io.WriteString(&log, "late\n")
	if out.String() != "late\n" {
		t.Errorf("sent %q; want the later line", out.String())
	}
}

func TestScreenWaits(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var screen demo.Screen
		go func() {
			synctest.Wait() // Wait waits by now
			_, _ = io.WriteString(&screen, "rea")
			_, _ = io.WriteString(&screen, "dy\n")
		}()
		if err := screen.Wait(t.Context(), "ready"); err != nil {
			t.Error(err)
		}
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		if err := screen.Wait(ended, "never"); !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), `"never"`) {
			t.Errorf("Wait() = %v; want what was waited for and the end of the context", err)
		}
	})
}

func TestListenNamesTheFlag(t *testing.T) {
	t.Parallel()
	lis, err := demo.Listen("http", "localhost:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = lis.Close() }()
	if _, err = demo.Listen("http", lis.Addr().String()); err == nil || !strings.Contains(err.Error(), "-http host:port") {
		t.Errorf("Listen on a busy port: %v; want an error that names the flag", err)
	}
}

// stubborn is a gRPC server with a stream that nobody ends.
type stubborn struct {
	once    sync.Once
	stopped chan struct{}
}

func (s *stubborn) GracefulStop() { <-s.stopped }
func (s *stubborn) Stop()         { s.once.Do(func() { close(s.stopped) }) }

func TestStopGRPCDoesNotWaitForEver(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		demo.StopGRPC(&stubborn{stopped: make(chan struct{})})
	})
}

func TestShutdownEndsTheServer(t *testing.T) {
	t.Parallel()
	lis, err := net.Listen("tcp", "localhost:0")
	if err != nil {
		t.Fatal(err)
	}
	srv := &http.Server{Handler: http.NotFoundHandler()}
	ended := make(chan error, 1)
	go func() { ended <- srv.Serve(lis) }()
	demo.Shutdown(srv)
	if err := <-ended; !errors.Is(err, http.ErrServerClosed) {
		t.Errorf("Serve ended with %v; want http.ErrServerClosed", err)
	}
}
