package httpadapter_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"

	"github.com/crosscut-go/crosscut/httpadapter"
	"github.com/crosscut-go/crosscut/interceptor"
)

// counting is user code around a mux that tells what is inside of it.
type counting struct {
	mux  *http.ServeMux
	runs int
}

func (c *counting) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c.runs++
	c.mux.ServeHTTP(w, r)
}

func (c *counting) Inner(r *http.Request) (http.Handler, *http.Request) { return c.mux, r }

// TestCodeAroundAMux: user code around a mux runs for what the mux answers by
// itself too, and no user code runs undecided: that is the whole handler.
func TestCodeAroundAMux(t *testing.T) {
	t.Parallel()
	var decided []string
	stack := interceptor.MustNew(interceptor.FromFuncs("decide", interceptor.Funcs{
		BeforeHandler: func(ctx context.Context, _ *interceptor.Call, m *interceptor.Method) (context.Context, error) {
			decided = append(decided, m.Name())
			return ctx, nil
		},
	}))
	around := &counting{mux: http.NewServeMux()}
	around.mux.HandleFunc("GET /known", func(http.ResponseWriter, *http.Request) {})
	around.mux.HandleFunc("/below/", func(http.ResponseWriter, *http.Request) {})
	h := httpadapter.Wrap(stack, around)
	for _, test := range []struct {
		path, method string
		status       int
	}{
		{"/known", "GET /known", http.StatusOK},
		{"/unknown", "*", http.StatusNotFound},
		{"/below", "*", http.StatusTemporaryRedirect},
	} {
		decided, around.runs = nil, 0
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, test.path, nil))
		if w.Code != test.status || around.runs != 1 || !slices.Equal(decided, []string{test.method}) {
			t.Errorf("%s: status %d, the code around ran %d times, decided for %q; want %d, once, for %q", test.path, w.Code, around.runs, decided, test.status, test.method)
		}
	}
}

// TestFlushRunsBeforeResponse: a flush without a byte lets the header leave, so
// what hooks do to it must be there by then.
func TestFlushRunsBeforeResponse(t *testing.T) {
	t.Parallel()
	stack := interceptor.MustNew(interceptor.FromFuncs("late", interceptor.Funcs{
		BeforeResponse: func(_ context.Context, c *interceptor.Call) error { return c.ResponseHeader().Set("X-Late", "1") },
	}))
	for name, flush := range map[string]func(http.ResponseWriter) error{
		"Flusher":            func(w http.ResponseWriter) error { w.(http.Flusher).Flush(); return nil },
		"ResponseController": func(w http.ResponseWriter) error { return http.NewResponseController(w).Flush() },
	} {
		ts := httptest.NewServer(httpadapter.Wrap(stack, httpadapter.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) error { return flush(w) })))
		t.Cleanup(ts.Close)
		resp, err := ts.Client().Get(ts.URL)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if resp.StatusCode != http.StatusOK || resp.Header.Get("X-Late") != "1" {
			t.Errorf("%s: status %d, header %v", name, resp.StatusCode, resp.Header)
		}
	}
}
