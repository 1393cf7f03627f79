package logging_test

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/crosscut-go/crosscut/builtin/logging"
	"github.com/crosscut-go/crosscut/httpadapter"
	"github.com/crosscut-go/crosscut/interceptor"
)

// counting counts how often attributes are formatted for many records at once.
type counting struct {
	drop
	times *atomic.Int32
}

func (h counting) WithAttrs([]slog.Attr) slog.Handler {
	h.times.Add(1)
	return h
}

// TestConstantsAreFormattedOnce checks that no record pays for what all records of a
// method have in common.
func TestConstantsAreFormattedOnce(t *testing.T) {
	t.Parallel()
	var times atomic.Int32
	stack := interceptor.MustNew(logging.New(slog.New(counting{times: &times})))
	call, request := directRPC(t, stack), directHTTP(t, stack)
	var first sync.WaitGroup
	for range 8 {
		first.Go(call)
	}
	first.Wait()
	request()
	if times.Load() != 2 {
		t.Fatalf("an RPC and a route had their attributes formatted %d times, want once each", times.Load())
	}
	var calls sync.WaitGroup
	for range 8 {
		calls.Go(call)
	}
	calls.Wait()
	request()
	if times.Load() != 2 {
		t.Errorf("further calls had theirs formatted again: %d times, want 2", times.Load())
	}
}

// TestConstantsTellWaysApart: calls of one method that came in different ways do not
// share what was formatted for the first.
func TestConstantsTellWaysApart(t *testing.T) {
	t.Parallel()
	log := &journal{}
	mux := httpadapter.NewMux(interceptor.MustNew(logging.New(log.logger(slog.LevelInfo))))
	mux.HandleFunc("/books/{id}", func(http.ResponseWriter, *http.Request) {})
	verbs := []string{http.MethodGet, http.MethodPost, http.MethodGet, "BREW", http.MethodPost}
	for _, verb := range verbs {
		mux.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(verb, "/books/7", http.NoBody))
	}
	for i, record := range log.records(t) {
		want := verbs[i]
		if want == "BREW" {
			want = "_OTHER"
		}
		if record["http_method"] != want || record["route"] != "/books/{id}" {
			t.Errorf("the record of %s has %v on %v", verbs[i], record["http_method"], record["route"])
		}
	}
}
