package grpcadapter

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/crosscut-go/crosscut/interceptor"
)

// TestGateLinks has three dispatches leave in every order while somebody waits for
// the last of them, twice through the same gate. No mistake in a link makes it hang.
func TestGateLinks(t *testing.T) {
	t.Parallel()
	for _, order := range [][]int{{1, 0, 2}, {1, 2, 0}, {0, 1, 2}, {0, 2, 1}, {2, 0, 1}, {2, 1, 0}} {
		t.Run(fmt.Sprint(order), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var g gate
				leaveInOrder(t, &g, order)
				leaveInOrder(t, &g, order)
			})
		})
	}
}

// leaveInOrder has as many dispatches enter as order has numbers, and leave as it
// says. After each the gate must hold exactly the others.
func leaveInOrder(t *testing.T, g *gate, order []int) {
	t.Helper()
	all := fill(t, g, len(order))
	inside := slices.Clone(all)
	returned := await(t, g)
	for n, out := range order {
		if returned() {
			t.Fatalf("wait has returned after %d of %d have left", n, len(order))
		}
		l := all[out]
		g.leave(l)
		inside = slices.DeleteFunc(inside, func(other *lifetime) bool { return other == l })
		checkInside(t, g, inside)
		if l.prev != nil || l.next != nil {
			t.Errorf("number %d still knows others after it has left", out)
		}
		for i, other := range all {
			if ended := !slices.Contains(inside, other); errors.Is(other.Err(), context.Canceled) != ended {
				t.Errorf("number %d ended with %v when %d have left", i, other.Err(), n+1)
			}
		}
	}
	if !returned() || len(g.empty) > 0 {
		t.Fatalf("all have left; wait has returned: %v, still to be told: %d", returned(), len(g.empty))
	}
}

// await has a goroutine of the test's bubble wait for a gate with somebody inside. What
// it returns tells whether that goroutine has gone on.
func await(t *testing.T, g *gate) (returned func() bool) {
	t.Helper()
	over := false
	go func() { g.wait(); over = true }()
	synctest.Wait()
	if over {
		t.Fatal("wait has returned while all are inside")
	}
	told := g.empty[0]
	t.Cleanup(func() { // a bubble ends only with its goroutines, also that of a failed test
		if !closed(told) {
			close(told)
		}
	})
	return func() bool { synctest.Wait(); return over }
}

// fill has dispatches enter a gate. The first of them is the one that came last, as
// in the gate.
func fill(t *testing.T, g *gate, n int) []*lifetime {
	t.Helper()
	var all []*lifetime
	for range n {
		l := &lifetime{parent: t.Context()}
		if err := g.enter(l); err != nil {
			t.Fatal(err)
		}
		all = slices.Insert(all, 0, l)
		checkInside(t, g, all)
	}
	return all
}

// checkInside ends the test unless a gate is unlocked and links exactly the dispatches
// wanted, forwards and backwards. It follows no more links than that.
func checkInside(t *testing.T, g *gate, want []*lifetime) {
	t.Helper()
	if !g.mu.TryLock() {
		t.Fatal("the gate is still locked")
	}
	defer g.mu.Unlock()
	at, before := g.inside, (*lifetime)(nil)
	for i, l := range want {
		switch {
		case at != l:
			t.Fatalf("the list leads to %p at place %d of %d, want %p", at, i, len(want), l)
		case l.prev != before:
			t.Fatalf("the list leads from place %d of %d back to %p, want %p", i, len(want), l.prev, before)
		}
		at, before = l.next, l
	}
	if at != nil {
		t.Fatalf("the list goes on to %p after the %d who are inside", at, len(want))
	}
}

// TestGate checks that a server which stops lets no dispatch in, nor into the list,
// that Stop cancels those inside with a status, and that GracefulStop waits for them.
func TestGate(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := NewServer(interceptor.MustNew())
		inside := fill(t, &s.inside, 1)
		l := inside[0]
		stopped := make(chan struct{})
		go func() {
			s.GracefulStop()
			close(stopped)
		}()
		synctest.Wait()
		if closed(stopped) || l.Err() != nil {
			t.Errorf("with one inside GracefulStop has returned: %v, and has ended it with %v", closed(stopped), l.Err())
		}
		if err := s.inside.enter(&lifetime{parent: t.Context()}); status.Code(err) != codes.Unavailable {
			t.Errorf("a stopping server answers %v, want UNAVAILABLE", err)
		}
		checkInside(t, &s.inside, inside)
		s.Stop()
		if cause := context.Cause(l.cancelable()); status.Code(cause) != codes.Unavailable {
			t.Errorf("Stop cancels with %v, want UNAVAILABLE", cause)
		}
		s.inside.leave(l)
		checkInside(t, &s.inside, nil)
		synctest.Wait()
		if !closed(stopped) {
			t.Error("nobody is inside, but GracefulStop waits")
		}
	})
}

// TestGateCancelsAllInside has dispatches leave from everywhere in between.
func TestGateCancelsAllInside(t *testing.T) {
	t.Parallel()
	const size = 4
	for out := range size {
		var g gate
		all := fill(t, &g, size)
		g.leave(all[out])
		inside := slices.Delete(slices.Clone(all), out, out+1)
		checkInside(t, &g, inside)
		g.close(interceptor.NewError(codes.Unavailable, "stopped"))
		for i, l := range all {
			if cause := context.Cause(l.cancelable()); (status.Code(cause) == codes.Unavailable) != (i != out) {
				t.Errorf("number %d of %d ended with %v when number %d had left before", i, size, cause, out)
			}
		}
		for len(inside) > 0 {
			g.leave(inside[0])
			inside = inside[1:]
			checkInside(t, &g, inside)
		}
		g.wait()
	}
}
