package attempt_test

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/crosscut-go/crosscut/internal/attempt"
)

// TestMain fails if anything is still running after the tests: a series has no goroutine between two attempts.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var errDown = errors.New("down")

// await waits where nothing can keep it from an outcome.
func await(t *testing.T, s *attempt.Series) {
	t.Helper()
	if err := s.Await(t.Context()); err != nil {
		t.Errorf("Await: %v", err)
	}
}

// TestOneAttemptForAll has many wait for one slow attempt, and one of them leave. What it brings is no atomic, so that
// the race detector sees whether they find it safely.
func TestOneAttemptForAll(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		var tries atomic.Int64
		var brought string
		s := attempt.Series{Interval: time.Hour, Try: func(time.Time) error {
			tries.Add(1)
			<-release
			brought = "it"
			return nil
		}}
		var waiting atomic.Int64
		for range 50 {
			waiting.Add(1)
			go func() {
				defer waiting.Add(-1)
				await(t, &s)
				if brought != "it" {
					t.Errorf("a waiter found %q", brought)
				}
			}()
		}
		ctx, cancel := context.WithCancel(t.Context())
		left := make(chan error)
		go func() { left <- s.Await(ctx) }()
		synctest.Wait()
		cancel()
		if err := <-left; !errors.Is(err, context.Canceled) {
			t.Errorf("a waiter whose context has ended: %v", err)
		}
		s.Begin() // neither waits nor begins another
		synctest.Wait()
		if tries.Load() != 1 || waiting.Load() != 50 {
			t.Errorf("%d attempts under way, %d of 50 wait; want 1 and all", tries.Load(), waiting.Load())
		}
		close(release)
		synctest.Wait()
		await(t, &s) // within the interval
		if tries.Load() != 1 || waiting.Load() != 0 || brought != "it" {
			t.Errorf("%d attempts, %d wait for the one that has ended; want 1 and none", tries.Load(), waiting.Load())
		}
	})
}

// TestInterval moves the clock between calls, and by a second in each attempt. Every other attempt fails.
func TestInterval(t *testing.T) {
	t.Parallel()
	now := time.Time{}.Add(time.Second) // so soon after the zero time, which stands for no attempt yet
	var tries int
	s := attempt.Series{Interval: time.Minute, Now: func() time.Time { return now }, Try: func(began time.Time) error {
		if !began.Equal(now) {
			t.Errorf("Try was told %v, want %v", began, now)
		}
		now = now.Add(time.Second) // the interval is from start to start
		if tries++; tries%2 == 0 {
			return errDown
		}
		return nil
	}}
	if err := s.Failure(); err != nil {
		t.Errorf("a failure before the first attempt: %v", err)
	}
	for i, step := range []struct {
		pass  time.Duration
		tries int
	}{{0, 1}, {0, 1}, {59*time.Second - 1, 1}, {1, 2}, {0, 2}, {59*time.Second - 1, 2}, {1, 3}, {-time.Hour, 3}, {2 * time.Hour, 4}} {
		now = now.Add(step.pass)
		await(t, &s)
		if tries != step.tries {
			t.Errorf("step %d: %d attempts, want %d", i+1, tries, step.tries)
		}
		if err := s.Failure(); errors.Is(err, errDown) != (tries%2 == 0) {
			t.Errorf("step %d: the failure %v after attempt %d", i+1, err, tries)
		}
	}
}

// TestDefaults leaves out what can be.
func TestDefaults(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) { // its clock stands still
		for interval, want := range map[time.Duration]int{0: 3, 1: 1} {
			var tries int
			s := attempt.Series{Interval: interval, Try: func(began time.Time) error {
				if tries++; !began.Equal(time.Now()) {
					t.Errorf("began at %v, want now", began)
				}
				return errDown
			}}
			for range 3 {
				await(t, &s)
			}
			if tries != want {
				t.Errorf("interval %v: %d attempts, want %d", interval, tries, want)
			}
		}
	})
}

// TestPanics checks that one is a failure like others, and that the next attempt can succeed.
func TestPanics(t *testing.T) {
	t.Parallel()
	fatal := true
	heard := make(chan error, 1)
	s := attempt.Series{What: "kit: reading the list", Failed: func(err error) { heard <- err }, Try: func(time.Time) error {
		if fatal {
			panic("boom")
		}
		return nil
	}}
	await(t, &s)
	const want = "kit: reading the list panicked: boom"
	if err := s.Failure(); err == nil || err.Error() != want || !errors.Is(<-heard, err) {
		t.Errorf("%v, want %q in both places", err, want)
	}
	fatal = false
	await(t, &s)
	if err := s.Failure(); err != nil {
		t.Errorf("a success: %v", err)
	}
}

// TestGoexit checks that a Try which ends its goroutine has failed, for everybody who waited, and that the next attempt
// begins after the interval like any other.
func TestGoexit(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		now := time.Now()
		release := make(chan struct{})
		var tries int
		var heard error
		s := attempt.Series{
			What: "kit: reading the list", Interval: time.Minute,
			Try: func(time.Time) error {
				if tries++; tries == 1 {
					<-release
					runtime.Goexit()
				}
				return nil
			},
			Failed: func(err error) { heard = err },
			Now:    func() time.Time { return now },
		}
		const want = "kit: reading the list ended its goroutine (runtime.Goexit) instead of returning"
		var waiters sync.WaitGroup
		for range 3 {
			waiters.Go(func() {
				await(t, &s)
				if err := s.Failure(); err == nil || err.Error() != want {
					t.Errorf("a waiter found %v, want %q", err, want)
				}
			})
		}
		synctest.Wait()
		close(release)
		waiters.Wait()
		synctest.Wait()
		if heard == nil || heard.Error() != want {
			t.Errorf("Failed was told %v, want %q", heard, want)
		}
		await(t, &s) // within the interval
		if tries != 1 || s.Failure() == nil {
			t.Errorf("%d attempts within the interval, %v; want 1 and its failure", tries, s.Failure())
		}
		now = now.Add(time.Minute)
		await(t, &s)
		if err := s.Failure(); tries != 2 || err != nil {
			t.Errorf("%d attempts after the interval, %v; want 2 and a success", tries, err)
		}
	})
}

// TestFailed checks that nobody waits for the function that hears of failures, and that it may use the series.
func TestFailed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var s attempt.Series
		var tries, heard int
		release := make(chan struct{})
		s.Try = func(time.Time) error {
			if tries++; tries == 1 {
				return errDown
			}
			return nil
		}
		s.Failed = func(err error) {
			heard++
			if !errors.Is(err, errDown) || !errors.Is(s.Failure(), errDown) {
				t.Errorf("told of %v when the failure is %v", err, s.Failure())
			}
			<-release
			await(t, &s)
		}
		await(t, &s)
		synctest.Wait()
		await(t, &s)
		if tries != 2 || heard != 1 || s.Failure() != nil {
			t.Errorf("%d attempts, %d failures told, %v; want 2, 1 and a success", tries, heard, s.Failure())
		}
		close(release)
		synctest.Wait()
		if tries != 3 || heard != 1 {
			t.Errorf("%d attempts, %d failures told; want 3 and 1", tries, heard)
		}
	})
}

// TestNeverTwiceAtATime uses a series from many goroutines that never wait for each other. The race detector notices
// two attempts at a time too.
func TestNeverTwiceAtATime(t *testing.T) {
	t.Parallel()
	var tries int
	var under atomic.Int64
	s := attempt.Series{Try: func(time.Time) error {
		if under.Add(1) != 1 {
			t.Error("two attempts are under way")
		}
		defer under.Add(-1)
		if tries++; tries%2 == 0 {
			return errDown
		}
		return nil
	}}
	var callers sync.WaitGroup
	for range 8 {
		callers.Go(func() {
			for range 200 {
				s.Begin()
				await(t, &s)
				if err := s.Failure(); err != nil && !errors.Is(err, errDown) {
					t.Errorf("the failure %v", err)
				}
			}
		})
	}
	callers.Wait()
	await(t, &s) // the last attempt that Begin has left
	if tries < 200 {
		t.Errorf("%d attempts by callers that wait for 200 each", tries)
	}
}

// TestWithinTheInterval costs nothing: calls begin attempts in passing.
func TestWithinTheInterval(t *testing.T) {
	s := attempt.Series{Interval: time.Hour, Try: func(time.Time) error { return nil }}
	await(t, &s)
	ctx := t.Context()
	if n := testing.AllocsPerRun(100, func() {
		s.Begin()
		if err := s.Await(ctx); err != nil {
			t.Error(err)
		}
	}); n != 0 {
		t.Errorf("%v allocations, want none", n)
	}
}
