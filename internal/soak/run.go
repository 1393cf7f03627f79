package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"runtime/pprof"
	"strings"
	"sync"
	"time"
)

// config says how much to do.
type config struct {
	calls    int
	clients  int
	duration time.Duration
	seed     uint64
	onCall   func(id int) // runs before each call, for tests; may be nil
}

// warmUp is how many calls come before the first look at memory, so that what is
// made once per process is not taken for a leak.
const warmUp = 2000

// run makes the calls and returns an error if the books do not balance.
func run(ctx context.Context, c config, out io.Writer) error {
	if c.calls < 1 || c.clients < 1 {
		return errors.New("-calls and -clients must be at least 1")
	}
	first := &book{records: make([]record, min(c.calls, warmUp))}
	if _, err := round(ctx, c, first); err != nil {
		return fmt.Errorf("warming up: %w", err)
	}
	b := &book{records: make([]record, c.calls)}
	before := measure()
	_, _ = fmt.Fprintf(out, "%d calls by %d clients, at most %v, seed %d\n", c.calls, c.clients, c.duration, c.seed)
	load, err := round(ctx, c, b)
	if err != nil {
		return err
	}
	after, left := comeDown(before)
	a := b.audit()
	a.checkReports(load.reported)
	a.checkSignals(load.signals)
	a.print(out, load)
	_, _ = fmt.Fprintf(out, "goroutines  %d before, %d at most, %d after\n", before.goroutines, load.peak.goroutines, after.goroutines)
	_, _ = fmt.Fprintf(out, "heap        %s before, %s at most, %s after\n", mebibytes(before.heap), mebibytes(load.peak.heap), mebibytes(after.heap))
	return errors.Join(a.err(), before.compare(after, left))
}

// load is what a round was like.
type load struct {
	took     time.Duration
	peak     usage
	reported int64
	signals  counts
}

// round makes the calls of the book against a new site and returns when all of
// them have ended and the site is closed.
func round(ctx context.Context, c config, b *book) (load, error) {
	s, err := newSite(ctx, b)
	if err != nil {
		return load{}, err
	}
	var l load
	start := time.Now()
	sampled := make(chan usage)
	stop := make(chan struct{})
	go func() { sampled <- watch(stop) }()
	s.makeCalls(ctx, c)
	err = b.settle()
	l.took = time.Since(start)
	close(stop)
	l.peak = <-sampled
	closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
	defer cancel()
	err = errors.Join(err, s.close(closing))
	l.reported = s.reported.Load()
	signals, unread := s.signals.counts(closing)
	l.signals = signals
	return l, errors.Join(err, unread)
}

// makeCalls makes the calls with as many clients as there are to be.
func (s *site) makeCalls(ctx context.Context, c config) {
	ctx, cancel := context.WithTimeout(ctx, c.duration)
	defer cancel()
	var clients sync.WaitGroup
	for range c.clients {
		clients.Go(func() {
			for ctx.Err() == nil {
				id := int(s.book.issued.Add(1)) - 1
				if id >= len(s.book.records) {
					s.book.issued.Add(-1)
					return
				}
				if c.onCall != nil {
					c.onCall(id)
				}
				s.makeCall(id, choose(c.seed, id))
			}
		})
	}
	clients.Wait()
}

// settle waits until the server has ended every call that it began: it may still
// be at it when the client has left.
func (b *book) settle() error {
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for giveUp := time.Now().Add(patience); b.open.Load() != 0; <-tick.C {
		if time.Now().After(giveUp) {
			return fmt.Errorf("%d calls have not ended %v after their clients; their goroutines:\n%s", b.open.Load(), patience, stacks())
		}
	}
	return nil
}

// usage is what the process holds.
type usage struct {
	goroutines int
	heap       uint64
}

// measure returns what is held after garbage has been collected.
func measure() usage {
	for range 3 { // pools and finalizers let go of memory one collection later
		runtime.GC()
	}
	return sample()
}

func sample() usage {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return usage{runtime.NumGoroutine(), m.HeapAlloc}
}

// watch returns the highest figures until stop is closed.
func watch(stop <-chan struct{}) usage {
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	var peak usage
	for {
		now := sample()
		peak.goroutines, peak.heap = max(peak.goroutines, now.goroutines), max(peak.heap, now.heap)
		select {
		case <-stop:
			return peak
		case <-tick.C:
		}
	}
}

// comeDown waits until there are no more goroutines than before. Those of closed
// connections end a moment after the connection. If they do not it returns their
// stacks.
func comeDown(before usage) (after usage, left string) {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for giveUp := time.Now().Add(10 * time.Second); runtime.NumGoroutine() > before.goroutines; <-tick.C {
		if time.Now().After(giveUp) {
			return measure(), stacks()
		}
	}
	return measure(), ""
}

func stacks() string {
	var text strings.Builder
	_ = pprof.Lookup("goroutine").WriteTo(&text, 1) // a Builder does not fail
	return text.String()
}

// heapSlack is how much the heap may grow. It is far less than a pointer for each
// call of a full run.
const heapSlack = 2 << 20

func (before usage) compare(after usage, left string) error {
	var err error
	if after.goroutines > before.goroutines {
		err = fmt.Errorf("%d goroutines before, %d after:\n%s", before.goroutines, after.goroutines, left)
	}
	if after.heap > before.heap+heapSlack {
		err = errors.Join(err, fmt.Errorf("the heap grew from %s to %s", mebibytes(before.heap), mebibytes(after.heap)))
	}
	return err
}

func mebibytes(n uint64) string { return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20)) }
