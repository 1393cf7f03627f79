package main

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	pb "github.com/crosscut-go/crosscut/proto/crosscut/conformance/v1"
)

// held is a site in whose handlers calls are waiting, in the middle of their
// answers, streams after a first message.
type held struct {
	*site
	calls   sync.WaitGroup
	release chan struct{} // closed, it lets the handlers go on
}

// holdEach makes a few calls on each of the exchanges and returns when all of their
// handlers are waiting.
func holdEach(t *testing.T, which func(exchange) bool) *held {
	const n = 3
	t.Helper()
	var picked []int
	for i, e := range exchanges {
		if which(e) {
			picked = append(picked, i)
		}
	}
	release := make(chan struct{})
	b := &book{records: make([]record, n*len(picked))}
	s, err := newSiteOf(t.Context(), &service{book: b, released: release})
	if err != nil {
		t.Fatal(err)
	}
	h := &held{site: s, release: release}
	var waiting sync.WaitGroup
	for id := range b.records {
		i := picked[id%len(picked)]
		b.records[id].sort = sort{uint8(i), leave}
		waiting.Add(1)
		b.onBegun(id, waiting.Done)
		h.calls.Go(func() {
			ctx, cancel := context.WithTimeout(context.Background(), patience)
			defer cancel()
			got := exchanges[i].make(ctx, s, call{id, leave})
			b.records[id].cut.Store(got.cut)
			b.records[id].client.give(got.code, got.http)
		})
	}
	b.issued.Store(int64(len(b.records)))
	waiting.Wait()
	return h
}

// check waits for all calls and compares every call's books: each hook was told
// the outcome once, and client and server got one outcome each, which is OK or
// not as the test wants.
func (h *held) check(t *testing.T, wantOK bool) {
	t.Helper()
	h.calls.Wait()
	if err := h.book.settle(); err != nil {
		t.Error(err)
	}
	for id := range h.book.records {
		r := &h.book.records[id]
		e := exchanges[r.sort.exchange]
		for i := range bookHooks {
			if r.entered[i].Load() != 1 || r.ended[i].Load() != 1 {
				t.Errorf("%s %s: hook %d was entered %d times and told the outcome %d times; want 1, 1", e.way, e.shape, i, r.entered[i].Load(), r.ended[i].Load())
			}
		}
		if r.server.count.Load() != 1 || r.client.count.Load() != 1 {
			t.Errorf("%s %s: %d outcomes for the server, %d for the client; want 1, 1", e.way, e.shape, r.server.count.Load(), r.client.count.Load())
		}
		clientOK, serverOK := r.client.is(codes.OK) && !r.cut.Load(), r.server.is(codes.OK)
		if clientOK != wantOK || serverOK != wantOK {
			t.Errorf("%s %s: the client got %v, the server says %v; want OK: %v", e.way, e.shape, codes.Code(r.client.code.Load()), codes.Code(r.server.code.Load()), wantOK)
		}
	}
}

// noneLeft checks that a test leaves no goroutine behind.
func noneLeft(t *testing.T) {
	t.Helper()
	before := measure()
	t.Cleanup(func() {
		if after, left := comeDown(before); after.goroutines > before.goroutines {
			t.Errorf("%d goroutines before, %d after:\n%s", before.goroutines, after.goroutines, left)
		}
	})
}

func overGRPC(e exchange) bool { return slices.Contains([]string{"gRPC", "in process"}, e.way) }
func overHTTP(e exchange) bool { return !overGRPC(e) }

// Graceful shutdown of the gRPC server lets calls end, over the wire and in
// process, and takes no new ones.
func TestGracefulStop(t *testing.T) {
	noneLeft(t)
	h := holdEach(t, overGRPC)
	stopped := make(chan struct{})
	go func() {
		h.grpc.GracefulStop()
		close(stopped)
	}()
	newCall := func() error {
		_, err := pb.NewConformanceServiceClient(h.wire).Unary(t.Context(), &pb.UnaryRequest{})
		return err
	}
	for deadline := time.Now().Add(patience); status.Code(newCall()) != codes.Unavailable; {
		if time.Now().After(deadline) {
			t.Fatal("a server that is stopping goes on taking calls")
		}
	}
	select {
	case <-stopped:
		t.Error("GracefulStop returned while calls were running")
	default:
	}
	close(h.release)
	<-stopped
	h.check(t, true)
	h.finish(t)
}

// Graceful shutdown of the HTTP server does the same for REST, plain handlers,
// server-sent events and gRPC mounted in it.
func TestGracefulShutdownOfHTTP(t *testing.T) {
	noneLeft(t)
	h := holdEach(t, overHTTP)
	begun, stopped := make(chan struct{}), make(chan error, 1)
	h.web.RegisterOnShutdown(sync.OnceFunc(func() { close(begun) })) // finish shuts down again
	go func() { stopped <- h.web.Shutdown(context.Background()) }()
	<-begun
	close(h.release)
	h.check(t, true)
	h.closeClients() // Shutdown waits for connections to become idle
	if err := <-stopped; err != nil {
		t.Error(err)
	}
	h.finish(t)
}

// Forced shutdown ends all calls, and nobody takes them for a success.
func TestForcedStop(t *testing.T) {
	noneLeft(t)
	h := holdEach(t, func(exchange) bool { return true })
	if err := h.web.Close(); err != nil {
		t.Error(err)
	}
	h.grpc.Stop()
	h.check(t, false)
	h.finish(t)
}

// Clients that vanish, connection and all, end their calls.
func TestClientsVanish(t *testing.T) {
	noneLeft(t)
	h := holdEach(t, func(e exchange) bool { return slices.Contains([]string{"gRPC", "gRPC in net/http"}, e.way) })
	h.closeClients()
	h.check(t, false)
	h.finish(t)
}

func (h *held) finish(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := h.close(ctx); err != nil {
		t.Error(err)
	}
}

// A server that is stopped by force under full load tells every hook that it had
// entered the outcome, once, and gives every client one.
func TestForcedStopUnderLoad(t *testing.T) {
	noneLeft(t)
	b := &book{records: make([]record, 20_000)}
	s, err := newSite(t.Context(), b)
	if err != nil {
		t.Fatal(err)
	}
	half := make(chan struct{})
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.makeCalls(t.Context(), config{calls: len(b.records), clients: 64, duration: patience, seed: 3, onCall: func(id int) {
			if id == 2000 {
				close(half)
			}
		}})
	}()
	<-half
	_ = s.web.Close() // of connections that are gone
	s.grpc.Stop()
	<-done
	if err := b.settle(); err != nil {
		t.Error(err)
	}
	for id := range b.records {
		r := &b.records[id]
		for i := range bookHooks {
			if r.entered[i].Load() != r.ended[i].Load() || r.entered[i].Load() > 1 {
				t.Errorf("call %d (%v): hook %d was entered %d times and told the outcome %d times", id, exchanges[r.sort.exchange].way, i, r.entered[i].Load(), r.ended[i].Load())
			}
		}
		if r.client.count.Load() != 1 {
			t.Errorf("call %d: its client got %d outcomes", id, r.client.count.Load())
		}
	}
	h := &held{site: s}
	h.finish(t)
}
