package basic

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"

	"golang.org/x/crypto/bcrypt"
	"google.golang.org/grpc/codes"

	"github.com/crosscut-go/crosscut/interceptor"
)

// These tests count hashes and hold them back, which nobody outside can.

func credential(id, password string) string {
	return base64.StdEncoding.EncodeToString([]byte(id + ":" + password))
}

// fixed is a bcrypt hash of that cost; whose password it is, the fake below decides.
func fixed(cost int) []byte {
	return fmt.Appendf(nil, "$2a$%02d$KKKKKKKKKKKKKKKKKKKKKu7Zc0Ew5vGZcc9tB6W8U1QkDk0w1b4i2", cost)
}

// fake is a verifier whose hashes are counted, and right for "right".
type fake struct {
	*verifier
	users  static
	mu     sync.Mutex
	hashes []string // what was compared with
}

func newFake(c config) *fake {
	f := &fake{users: static{"alice": {Hash: fixed(14)}}}
	f.verifier = newVerifier(f.users, c)
	f.hashing = make(chan struct{}, 2)
	f.compare = func(hash, password []byte) error {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.hashes = append(f.hashes, string(hash))
		if string(password) != "right" {
			return bcrypt.ErrMismatchedHashAndPassword
		}
		return nil
	}
	return f
}

func (f *fake) try(id, password string) error {
	_, err := f.Verify(context.Background(), credential(id, password))
	return err
}

func TestUnknownUsersCostTheSame(t *testing.T) {
	t.Parallel()
	f := newFake(config{remember: time.Minute})
	for _, id := range []string{"bob", "carol", "bob"} {
		if err := f.try(id, "right"); !errors.Is(err, errWrong) {
			t.Errorf("%s, whose dummy hash compares equal: %v; want a refusal", id, err)
		}
	}
	if err := f.try("alice", "wrong"); !errors.Is(err, errWrong) {
		t.Errorf("alice with a wrong password: %v", err)
	}
	if len(f.hashes) != 4 {
		t.Errorf("%d hashes for four refusals, want as many", len(f.hashes))
	}
	for _, h := range f.hashes {
		if cost, err := bcrypt.Cost([]byte(h)); err != nil || cost != 14 {
			t.Errorf("a hash of cost %d, %v; want 14, that of alice", cost, err)
		}
	}
}

// TestNobodyIsRememberedAsNobody checks that memory never admits an unknown user.
func TestNobodyIsRememberedAsNobody(t *testing.T) {
	t.Parallel()
	f := newFake(config{remember: time.Minute})
	f.proven.add(f.proven.of("bob", "right", dummy(f.cost.Load())))
	if err := f.try("bob", "right"); !errors.Is(err, errWrong) || len(f.hashes) != 1 {
		t.Errorf("%v after %d hashes; want a refusal after one", err, len(f.hashes))
	}
}

// TestDummyFollowsTheUsers checks stores whose hashes nobody has seen before.
func TestDummyFollowsTheUsers(t *testing.T) {
	t.Parallel()
	f := newFake(config{})
	f.verifier.users = struct{ Store }{f.users} // of another type
	f.cost.Store(int64(bcrypt.DefaultCost))
	_ = f.try("alice", "wrong")
	_ = f.try("bob", "wrong")
	f.users["alice"] = User{Hash: fixed(6)}
	_ = f.try("alice", "wrong")
	_ = f.try("bob", "wrong")
	var costs []int
	for _, h := range f.hashes {
		cost, _ := bcrypt.Cost([]byte(h))
		costs = append(costs, cost)
	}
	if !slices.Equal(costs, []int{14, 14, 6, 6}) {
		t.Errorf("costs %v, want 14 14 6 6", costs)
	}
}

// TestDummyIsAHash checks that bcrypt does its whole work for the dummy.
func TestDummyIsAHash(t *testing.T) {
	t.Parallel()
	if err := bcrypt.CompareHashAndPassword(dummy(int64(bcrypt.MinCost)), []byte("x")); !errors.Is(err, bcrypt.ErrMismatchedHashAndPassword) {
		t.Errorf("%v; want a mismatch", err)
	}
}

func TestRightPasswordsAreRemembered(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFake(config{remember: time.Minute})
		hashes := func(id, password string) int {
			before := len(f.hashes)
			_ = f.try(id, password)
			return len(f.hashes) - before
		}
		steps := []struct {
			name   string
			before func()
			id     string
			pw     string
			want   int
		}{
			{"first", nil, "alice", "right", 1},
			{"again", nil, "alice", "right", 0},
			{"wrong ones are not remembered", nil, "alice", "wrong", 1},
			{"wrong again", nil, "alice", "wrong", 1},
			{"the right one still is", nil, "alice", "right", 0},
			{"before its time is over", func() { time.Sleep(59 * time.Second) }, "alice", "right", 0},
			{"after", func() { time.Sleep(time.Second) }, "alice", "right", 1},
			{"again after", nil, "alice", "right", 0},
			{"another hash", func() { f.users["alice"] = User{Hash: fixed(13)} }, "alice", "right", 1},
			{"removed", func() { delete(f.users, "alice") }, "alice", "right", 1},
		}
		for _, s := range steps {
			if s.before != nil {
				s.before()
			}
			if n := hashes(s.id, s.pw); n != s.want {
				t.Errorf("%s: %d hashes, want %d", s.name, n, s.want)
			}
		}
	})
}

func TestNothingIsRememberedForZero(t *testing.T) {
	t.Parallel()
	f := newFake(config{})
	for range 3 {
		if err := f.try("alice", "right"); err != nil {
			t.Error(err)
		}
	}
	if len(f.hashes) != 3 {
		t.Errorf("%d hashes for three calls, want 3", len(f.hashes))
	}
}

func TestMemoryIsBounded(t *testing.T) {
	t.Parallel()
	m := newMemory(time.Hour)
	last := proof{}
	for i := range 3 * maxProven {
		last = proof{byte(i), byte(i >> 8), byte(i >> 16), 1}
		m.add(last)
		if len(m.newer)+len(m.older) > maxProven {
			t.Fatalf("%d are remembered, want at most %d", len(m.newer)+len(m.older), maxProven)
		}
	}
	if !m.has(last) || m.has(proof{0, 0, 0, 1}) {
		t.Error("the last is forgotten, or the first is not")
	}
}

// TestProofs checks that no two pairs have one proof, nor one pair in two processes.
func TestProofs(t *testing.T) {
	t.Parallel()
	m := newMemory(time.Hour)
	proofs := []proof{
		m.of("ab", "c", []byte("h")), m.of("a", "bc", []byte("h")), m.of("abc", "", []byte("h")), m.of("ab", "ch", nil),
		m.of("ab", "c", []byte("i")), newMemory(time.Hour).of("ab", "c", []byte("h")),
	}
	for i, p := range proofs {
		if slices.Contains(proofs[i+1:], p) {
			t.Errorf("proof %d comes twice", i+1)
		}
	}
	if m.of("ab", "c", []byte("h")) != proofs[0] {
		t.Error("the proof of one pair differs from call to call")
	}
}

// TestHashesAtOnce checks that no more are computed at once than allowed, that a call
// beyond is told so at once, and that the place is free again afterwards.
func TestHashesAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFake(config{})
		held := make(chan struct{})
		compare := f.compare
		f.compare = func(hash, password []byte) error {
			<-held
			return compare(hash, password)
		}
		results := make(chan error, 2)
		for range cap(f.hashing) {
			go func() { results <- f.try("alice", "right") }()
		}
		synctest.Wait() // both are hashing
		for range 100 {
			if err := f.try("bob", "right"); interceptor.StatusOf(err).Code() != codes.ResourceExhausted {
				t.Fatalf("a call beyond: %v; want RESOURCE_EXHAUSTED", err)
			}
		}
		close(held)
		for range cap(f.hashing) {
			if err := <-results; err != nil {
				t.Error(err)
			}
		}
		if err := f.try("alice", "right"); err != nil || len(f.hashing) != 0 {
			t.Errorf("%v with %d places taken; want all to be free again", err, len(f.hashing))
		}
	})
}

// TestPlaceIsFreeAfterAPanic checks the exit that is easily forgotten.
func TestPlaceIsFreeAfterAPanic(t *testing.T) {
	t.Parallel()
	f := newFake(config{})
	f.compare = func([]byte, []byte) error { panic("boom") }
	func() {
		defer func() { _ = recover() }()
		_ = f.try("alice", "right")
	}()
	if len(f.hashing) != 0 {
		t.Error("a place is taken for ever")
	}
}

func TestProcessWideLimit(t *testing.T) {
	t.Parallel()
	a, b := newVerifier(static{}, config{}), newVerifier(static{}, config{})
	if a.hashing != b.hashing || cap(a.hashing) != max(1, runtime.GOMAXPROCS(0)/2) {
		t.Errorf("%d hashes at once per verifier; want the process to have one limit, half its cores", cap(a.hashing))
	}
}

func TestNobodyHashesForAClientThatLeft(t *testing.T) {
	t.Parallel()
	f := newFake(config{})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := f.Verify(ctx, credential("alice", "right")); !errors.Is(err, context.Canceled) || len(f.hashes) != 0 {
		t.Errorf("%v after %d hashes; want Canceled after none", err, len(f.hashes))
	}
}

// FuzzParse compares parse with RFC 7617 said another way.
func FuzzParse(f *testing.F) {
	for _, pair := range []string{"a:b", "a:b:c", ":", "a:", ":b", "a", "a\x00:b", "j\xfc:b", strings.Repeat("u", 255) + ":" + strings.Repeat("p", 72)} {
		f.Add(base64.StdEncoding.EncodeToString([]byte(pair)))
	}
	f.Add("YTpiYh==")
	f.Add("YTpi\nYg==")
	f.Fuzz(func(t *testing.T, c string) {
		id, password, err := parse(c)
		if err != nil {
			if id != "" || password != "" {
				t.Fatalf("%q: parts with an error", c)
			}
			return
		}
		if credential(id, password) != c {
			t.Fatalf("%q is read as %q and %q, which are sent otherwise", c, id, password)
		}
		for _, part := range []string{id, password} {
			if part == "" || !utf8.ValidString(part) || strings.ContainsFunc(part, func(r rune) bool { return r < ' ' || r == 0x7f }) {
				t.Fatalf("%q: part %q", c, part)
			}
		}
		if strings.Contains(id, ":") || len(id) > 255 || len(password) > 72 {
			t.Fatalf("%q: %q, %d bytes of password", c, id, len(password))
		}
	})
}
