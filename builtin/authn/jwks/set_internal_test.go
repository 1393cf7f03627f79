package jwks

import (
	"context"
	"crypto/rand"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/grpc/codes"

	"github.com/crosscut-go/crosscut/builtin/authn/jwt"
	"github.com/crosscut-go/crosscut/interceptor"
	"github.com/crosscut-go/crosscut/internal/tokentest"
)

// fixture is a key set with a clock, and the TLS server it fetches from.
type fixture struct {
	*Set
	t       *testing.T
	elapsed atomic.Int64 // of the clock
	asked   atomic.Int64
	body    atomic.Value // what the server sends: a string; "" is an error
}

func newFixture(t *testing.T, opts ...Option) *fixture {
	t.Helper()
	f := &fixture{t: t}
	s := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		f.asked.Add(1)
		text, _ := f.body.Load().(string)
		if text == "" {
			w.WriteHeader(http.StatusInternalServerError)
		}
		_, _ = io.WriteString(w, text)
	}))
	t.Cleanup(s.Close)
	f.Set = New(s.URL, append([]Option{Client(s.Client()), Timeout(time.Minute)}, opts...)...)
	start := time.Now()
	f.now = func() time.Time { return start.Add(time.Duration(f.elapsed.Load())) }
	f.fetches.Now = f.now
	return f
}

// publish changes what the server sends.
func (f *fixture) publish(keys ...tokentest.Key) { f.body.Store(tokentest.JWKS(keys...)) }

// pass moves the clock.
func (f *fixture) pass(d time.Duration) { f.elapsed.Add(int64(d)) }

// settle waits for the fetch that is under way, if any. It starts none, because the time
// is too early for another one as long as it runs.
func (f *fixture) settle() {
	f.t.Helper()
	elapsed := f.elapsed.Swap(-int64(time.Hour))
	defer f.elapsed.Store(elapsed)
	if err := f.fetches.Await(f.t.Context()); err != nil {
		f.t.Errorf("waiting for the fetch that is under way: %v", err)
	}
}

// want looks a key up and compares the outcome: "" is success.
func (f *fixture) want(kid, outcome string, fetches int64) {
	f.t.Helper()
	_, err := f.Key(f.t.Context(), kid)
	f.settle()
	got := ""
	switch {
	case errors.Is(err, jwt.ErrUnknownKey):
		got = "unknown"
	case interceptor.StatusOf(err).Code() == codes.Unavailable && err != nil:
		got = "unavailable"
	case err != nil:
		got = err.Error()
	}
	if got != outcome || f.asked.Load() != fetches {
		f.t.Errorf("%s: %q after %d fetches; want %q after %d", kid, got, f.asked.Load(), outcome, fetches)
	}
}

// TestInterval checks that strangers can cause one fetch per interval, measured from
// start to start, whatever comes of it.
func TestInterval(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	k := tokentest.NewECDSA("a")
	f.publish(k)
	f.want("a", "", 1)
	f.want("x", "unknown", 1)
	f.pass(30*time.Second - 1)
	f.want("x", "unknown", 1)
	f.pass(1)
	f.want("x", "unknown", 2)
	for range 1000 {
		f.want(rand.Text(), "unknown", 2)
	}
	f.body.Store("") // failures count too
	f.pass(30 * time.Second)
	f.want("x", "unavailable", 3)
	f.want("y", "unavailable", 3)
	f.want("a", "", 3)
	if err := f.Refresh(t.Context()); err == nil || f.asked.Load() != 3 {
		t.Errorf("Refresh within the interval: %v after %d fetches; want the last failure and no fetch", err, f.asked.Load())
	}
	f.pass(30 * time.Second)
	f.publish(k)
	if err := f.Refresh(t.Context()); err != nil || f.asked.Load() != 4 {
		t.Errorf("Refresh: %v after %d fetches", err, f.asked.Load())
	}
	f.want("x", "unknown", 4)
}

// TestFirstFetchIsNotRepeated checks the interval while there are no keys at all.
func TestFirstFetchIsNotRepeated(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	for range 100 {
		f.want("a", "unavailable", 1)
	}
	f.publish(tokentest.NewECDSA("a"))
	f.pass(30 * time.Second)
	f.want("a", "", 2)
}

// TestRotation checks that a key which is published one interval before its first token
// is found, whenever the last fetch was and whatever ids strangers present meanwhile.
func TestRotation(t *testing.T) {
	t.Parallel()
	for _, since := range []time.Duration{0, time.Second, 15 * time.Second, 29 * time.Second, 30 * time.Second, time.Minute} {
		f := newFixture(t)
		old, next := tokentest.NewECDSA("old"), tokentest.NewECDSA("next")
		f.publish(old)
		f.want("old", "", 1)
		f.pass(since)
		f.publish(old, next)
		for range 3 { // a stranger tries the new id at once and again
			_, _ = f.Key(t.Context(), "next")
			_, _ = f.Key(t.Context(), "x")
			f.pass(10 * time.Second)
		}
		if _, err := f.Key(t.Context(), "next"); err != nil {
			t.Errorf("published %v after a fetch: %v", since, err)
		}
		if _, err := f.Key(t.Context(), "old"); err != nil {
			t.Errorf("the old key: %v", err)
		}
		f.settle()
	}
}

// TestReplacedWhole checks that removed keys are gone and the version tells.
func TestReplacedWhole(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	a, b := tokentest.NewECDSA("a"), tokentest.NewECDSA("b")
	f.publish(a, b)
	f.want("a", "", 1)
	first := f.Version()
	f.pass(5 * time.Minute)
	f.publish(b, a)
	f.want("a", "", 2)
	if v := f.Version(); v != first || v == 0 {
		t.Errorf("version %d after equal keys, want %d", v, first)
	}
	f.pass(5 * time.Minute)
	f.publish(b)
	f.want("a", "", 3) // the age of the keys starts the fetch; this call does not wait
	f.want("a", "unknown", 3)
	second := f.Version()
	f.pass(5 * time.Minute)
	f.publish(tokentest.NewECDSA("b")) // another key of that id
	f.want("b", "", 4)
	if third := f.Version(); second == first || third == second || third == first {
		t.Errorf("versions %d, %d, %d; want three", first, second, third)
	}
}

// TestRefresh checks that keys are fetched again in good time, also when nobody asks for
// more than the version because all tokens are remembered.
func TestRefresh(t *testing.T) {
	t.Parallel()
	f := newFixture(t, RefreshEvery(time.Minute))
	f.publish(tokentest.NewECDSA("a"))
	f.want("a", "", 1)
	f.pass(time.Minute - 1)
	f.want("a", "", 1)
	f.pass(1)
	if f.Version() == 0 {
		t.Error("no version while a fetch is under way")
	}
	f.settle()
	f.want("a", "", 2)
}

// TestMaxAge checks that the last good keys are used until they are too old, and not
// longer.
func TestMaxAge(t *testing.T) {
	t.Parallel()
	f := newFixture(t, MaxAge(time.Hour))
	k := tokentest.NewECDSA("a")
	f.publish(k)
	f.want("a", "", 1)
	f.body.Store(`{"keys":[]}`) // nothing usable is no success
	f.pass(time.Hour - 1)
	f.want("a", "", 2)
	f.pass(1)
	if v := f.Version(); v != 0 {
		t.Errorf("version %d of keys that are too old, want 0", v)
	}
	f.want("a", "unavailable", 2)
	f.pass(30 * time.Second)
	f.want("a", "unavailable", 3)
	f.publish(k)
	f.pass(30 * time.Second)
	f.want("a", "", 4) // waits: there is nothing to go on with
}

// TestTooOldWithoutFailure has keys whose age reaches the maximum within the interval
// of a fetch that began long before it: the clock of their age runs ahead.
func TestTooOldWithoutFailure(t *testing.T) {
	t.Parallel()
	f := newFixture(t, MinInterval(time.Hour), RefreshEvery(time.Hour), MaxAge(time.Hour))
	f.publish(tokentest.NewECDSA("a"))
	f.want("a", "", 1)
	atFetch := f.now()
	f.fetches.Now = func() time.Time { return atFetch }
	f.pass(time.Hour)
	f.want("a", "unavailable", 1)
	if _, err := f.Key(t.Context(), "a"); !errors.Is(err, errTooOld) {
		t.Errorf("%v; want %v", err, errTooOld)
	}
}

// TestKeysDoNotWait checks that known keys are served while a refresh hangs, and that
// a caller who waits for an unknown one can give up.
func TestKeysDoNotWait(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.publish(tokentest.NewECDSA("a"))
	f.want("a", "", 1)
	hanging := make(chan struct{})
	f.client = &http.Client{Transport: roundTripper(func(*http.Request) (*http.Response, error) {
		<-hanging
		return nil, errors.New("hung up")
	})}
	f.pass(5 * time.Minute)
	for range 10 {
		if _, err := f.Key(t.Context(), "a"); err != nil {
			t.Error(err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := f.Key(ctx, "x"); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if err := f.Refresh(ctx); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	close(hanging)
	f.settle()
	f.want("a", "", 1)
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// TestLookUpAllocations: known keys cost nothing.
func TestLookUpAllocations(t *testing.T) {
	f := newFixture(t)
	f.publish(tokentest.NewECDSA("a"))
	f.want("a", "", 1)
	ctx := t.Context()
	if n := testing.AllocsPerRun(100, func() {
		if _, err := f.Key(ctx, "a"); err != nil || f.Version() == 0 {
			t.Error(err)
		}
	}); n != 0 {
		t.Errorf("%v allocations, want none", n)
	}
}

func TestErrorsRepeatNoID(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	_, err := f.Key(t.Context(), "secret-id")
	for cause := err; cause != nil; cause = errors.Unwrap(cause) {
		if strings.Contains(cause.Error(), "secret-id") {
			t.Errorf("the id that a stranger sent is in %q", cause)
		}
	}
	if st := interceptor.StatusOf(err); strings.Contains(st.Message(), "127.0.0.1") {
		t.Errorf("clients read %q", st.Message())
	}
}
