package httpadapter_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"testing"

	"google.golang.org/grpc/codes"

	"github.com/crosscut-go/crosscut/httpadapter"
	"github.com/crosscut-go/crosscut/interceptor"
)

// ending is a hook whose context for the handler ends when end is called, as that of a
// credential that expires.
func ending(tr *trace, end *context.CancelCauseFunc) *interceptor.Stack {
	return tr.two(func(f *interceptor.Funcs) {
		f.BeforeHandler = func(ctx context.Context, call *interceptor.Call, _ *interceptor.Method) (context.Context, error) {
			ctx, cancel := context.WithCancelCause(ctx)
			*end = cancel
			call.Defer(func() { cancel(nil) })
			return ctx, nil
		}
	})
}

var errExpired = interceptor.NewError(codes.Unauthenticated, "the credential has expired")

// TestStreamEndsWithItsContext: a handler that streams and ignores the end of its
// context cannot go on.
func TestStreamEndsWithItsContext(t *testing.T) {
	t.Parallel()
	ways := map[string]func(http.ResponseWriter) error{
		"Write":       func(w http.ResponseWriter) error { _, err := w.Write([]byte("late")); return err },
		"WriteString": func(w http.ResponseWriter) error { _, err := w.(io.StringWriter).WriteString("late"); return err },
		"Flush":       func(w http.ResponseWriter) error { return http.NewResponseController(w).Flush() },
		"ReadFrom": func(w http.ResponseWriter) error {
			_, err := w.(io.ReaderFrom).ReadFrom(io.LimitReader(neverEnding{}, 10))
			return err
		},
	}
	for name, write := range ways {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tr := newTrace()
			var end context.CancelCauseFunc
			failed := make(chan error, 2)
			s := serveHTTP(t, muxWith(ending(tr, &end), "GET /events", httpadapter.HandlerFunc(func(w http.ResponseWriter, r *http.Request) error {
				_, _ = io.WriteString(w, "early")
				_ = http.NewResponseController(w).Flush()
				end(errExpired)
				<-r.Context().Done()
				failed <- write(w)
				err := write(w)
				failed <- err
				return err
			})))
			resp, err := http.Get(s.URL + "/events")
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = resp.Body.Close() }()
			if body, err := io.ReadAll(resp.Body); string(body) != "early" || !errors.Is(err, io.ErrUnexpectedEOF) {
				t.Errorf("the client read %q, %v; want a stream that breaks off after what was early", body, err)
			}
			if first, second := <-failed, <-failed; first == nil || second == nil {
				t.Errorf("the handler's writes returned %v and %v", first, second)
			}
			if got := tr.end(t).call.Err(); !errors.Is(got, errExpired) {
				t.Errorf("the outcome is %v", got)
			}
			if bugs := tr.reported(); len(bugs) > 0 {
				t.Errorf("reported: %v", bugs)
			}
		})
	}
}

// neverEnding reads as zeros.
type neverEnding struct{}

func (neverEnding) Read(p []byte) (int, error) { return len(p), nil }

// TestAnswerOutlivesItsContext: a handler that does not stream may finish, whatever has
// become of the context by then.
func TestAnswerOutlivesItsContext(t *testing.T) {
	t.Parallel()
	tr := newTrace()
	var end context.CancelCauseFunc
	s := serveHTTP(t, muxWith(ending(tr, &end), "GET /report", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, "early ")
		end(errExpired)
		<-r.Context().Done()
		_, _ = io.WriteString(w, "late")
	})))
	resp, err := http.Get(s.URL + "/report")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	if body, err := io.ReadAll(resp.Body); err != nil || string(body) != "early late" {
		t.Errorf("the client read %q, %v", body, err)
	}
	if err := tr.end(t).call.Err(); err != nil {
		t.Errorf("the outcome is %v", err)
	}
}
