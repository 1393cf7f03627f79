package httpadapter_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/crosscut-go/crosscut/httpadapter"
	"github.com/crosscut-go/crosscut/interceptor"
)

func failing(err error) httpadapter.HandlerFunc {
	return func(http.ResponseWriter, *http.Request) error { return err }
}

// TestErrorBodies: a returned error is google.rpc.Status in JSON, or problem
// details where the caller asks for them, and untyped text stays at home.
func TestErrorBodies(t *testing.T) {
	t.Parallel()
	typed := interceptor.NewError(codes.NotFound, "no such book", interceptor.WithCause(errTest), interceptor.WithDetails(wrapperspb.String("b7")))
	const detail = `{"@type":"type.googleapis.com/google.protobuf.StringValue","value":"b7"}`
	tests := []struct {
		name, accept string
		err          error
		status       int
		contentType  string
		body         string
	}{
		{"typed", "", typed, 404, "application/json", `{"code":5,"message":"no such book","details":[` + detail + `]}`},
		{"typed problem", "application/problem+json", typed, 404, "application/problem+json",
			`{"type":"about:blank","title":"Not Found","status":404,"detail":"no such book","code":"NOT_FOUND","details":[` + detail + `]}`},
		{"untyped", "*/*", errTest, 500, "application/json", `{"code":2,"message":"internal error","details":[]}`},
		{"untyped problem", "text/html, application/problem+json;q=0.5", errTest, 500, "application/problem+json",
			`{"type":"about:blank","title":"Internal Server Error","status":500,"detail":"internal error","code":"UNKNOWN"}`},
		{"json preferred", "application/json, application/problem+json;q=0.9", errTest, 500, "application/json", `{"code":2,"message":"internal error","details":[]}`},
		{"wrapped", "", fmt.Errorf("context: %w", typed), 404, "application/json", `{"code":5,"message":"no such book","details":[` + detail + `]}`},
		{"own status", "", interceptor.NewError(codes.FailedPrecondition, "old", interceptor.WithHTTPStatus(412)), 412, "application/json", `{"code":9,"message":"old","details":[]}`},
		{"status without a name", "application/problem+json", interceptor.NewError(codes.Canceled, "left"), 499, "application/problem+json",
			`{"type":"about:blank","title":"CANCELLED","status":499,"detail":"left","code":"CANCELLED"}`},
		{"not UTF-8", "", interceptor.NewError(codes.NotFound, "a\xffb"), 404, "application/json", "{\"code\":5,\"message\":\"a\uFFFDb\",\"details\":[]}"},
		{"body too large", "", fmt.Errorf("reading: %w", &http.MaxBytesError{Limit: 3}), 413, "application/json", `{"code":8,"message":"the request body is too large","details":[]}`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			tr := newTrace()
			s := serveHTTP(t, muxWith(tr.two(nil), "/", failing(test.err)))
			r := request(t, s, "GET", "/", "")
			if test.accept != "" {
				r.Header.Set("Accept", test.accept)
			}
			got := send(t, s, r)
			end := tr.end(t)
			if got.StatusCode != test.status || got.Header.Get("Content-Type") != test.contentType || got.body != test.body {
				t.Errorf("got %d %s\n%s\nwant %d %s\n%s", got.StatusCode, got.Header.Get("Content-Type"), got.body, test.status, test.contentType, test.body)
			}
			if !json.Valid([]byte(got.body)) || strings.Contains(got.body, "secret") || got.ContentLength != int64(len(test.body)) {
				t.Errorf("body %q with Content-Length %d", got.body, got.ContentLength)
			}
			if got.Header.Get("Vary") != "Accept" {
				t.Errorf("Vary %q, but the format was negotiated", got.Header.Get("Vary"))
			}
			if !errors.Is(end.err, test.err) && !strings.Contains(test.name, "large") || end.status != test.status {
				t.Errorf("AfterResponse saw %d, %v", end.status, end.err)
			}
			tr.want(t, "BR1 BR2 BH1 BH2 OE2 OE1 RS2 RS1 AR2 AR1")
		})
	}
}

// TestErrorHeaders: a 401 has a challenge, and headers of errors go out.
func TestErrorHeaders(t *testing.T) {
	t.Parallel()
	retry := &errdetails.RetryInfo{RetryDelay: durationpb.New(2500 * 1e6)}
	tests := []struct {
		name       string
		err        error
		key, value string
	}{
		{"challenge of last resort", interceptor.NewError(codes.Unauthenticated, "who?"), "Www-Authenticate", "Bearer"},
		{"own challenge", interceptor.NewError(codes.Unauthenticated, "who?", interceptor.WithHeader("WWW-Authenticate", `Basic realm="x"`)), "Www-Authenticate", `Basic realm="x"`},
		{"no challenge", interceptor.NewError(codes.PermissionDenied, "no"), "Www-Authenticate", ""},
		{"retry info", interceptor.NewError(codes.ResourceExhausted, "slow", interceptor.WithDetails(retry)), "Retry-After", "3"},
		{"own retry", interceptor.NewError(codes.Unavailable, "later", interceptor.WithHeader("Retry-After", "9"), interceptor.WithDetails(retry)), "Retry-After", "9"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got := get(t, serveHTTP(t, muxWith(newTrace().two(nil), "/", failing(test.err))), "/")
			if values := got.Header.Values(test.key); strings.Join(values, "|") != test.value {
				t.Errorf("%s: %q, want %q", test.key, values, test.value)
			}
		})
	}
}

// TestErrorDropsTheHandlersHeaders: what described the handler's body does not
// describe the error; what hooks set stays, and so do protections.
func TestErrorDropsTheHandlersHeaders(t *testing.T) {
	t.Parallel()
	stack := newTrace().two(func(f *interceptor.Funcs) {
		f.BeforeRequest = func(ctx context.Context, call *interceptor.Call) (context.Context, error) {
			h := call.ResponseHeader()
			return ctx, errors.Join(h.Set("X-Request-Id", "7"), h.Set("Cache-Control", "no-store"), h.Add("Set-Cookie", "of=hook"), h.Set("Content-Language", "en"))
		}
	})
	mux := httpadapter.NewMux(stack)
	fill := func(h http.Header) {
		for _, key := range []string{"Content-Encoding", "Content-Disposition", "Content-Length", "ETag", "Last-Modified", "Location", "Cache-Control"} {
			h.Set(key, "1")
		}
		h.Add("Set-Cookie", "of=handler")
		h.Set("Content-Security-Policy", "default-src 'self'")
		h.Set("X-Other", "kept")
		h.Del("Content-Language")
	}
	mux.HandleFunc("/panic", func(w http.ResponseWriter, _ *http.Request) { fill(w.Header()); panic("x") })
	mux.Handle("/error", httpadapter.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) error { fill(w.Header()); return errTest }))
	s := serveHTTP(t, mux)
	for _, path := range []string{"/panic", "/error"} {
		got := get(t, s, path)
		for _, key := range []string{"Content-Encoding", "Content-Disposition", "ETag", "Last-Modified", "Location"} {
			if got.Header.Get(key) != "" {
				t.Errorf("%s: the error has the handler's %s", path, key)
			}
		}
		for key, want := range map[string]string{"X-Request-Id": "7", "Cache-Control": "no-store", "Set-Cookie": "of=hook", "Content-Language": "en",
			"Content-Type": "application/json", "Content-Security-Policy": "default-src 'self'", "X-Other": "kept"} {
			if values := got.Header.Values(key); len(values) != 1 || values[0] != want {
				t.Errorf("%s: %s is %q, want %q", path, key, values, want)
			}
		}
	}
}

// TestErrorStatusKeepsTheHandlersBytes: an error that the handler writes itself
// is only observed.
func TestErrorStatusKeepsTheHandlersBytes(t *testing.T) {
	t.Parallel()
	tr := newTrace()
	stack := tr.two(func(f *interceptor.Funcs) {
		f.OnError = func(_ context.Context, call *interceptor.Call, err error) error {
			var wrote *interceptor.StatusError
			if !errors.As(err, &wrote) || wrote.HTTPStatus != 404 {
				t.Errorf("OnError got %v", err)
			}
			return errors.Join(call.ReplyHTTP(200, "", nil), fails)
		}
	})
	mux := muxWith(stack, "/", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("ETag", `"7"`)
		w.Header().Set("Content-Type", "text/x")
		w.WriteHeader(404)
		_, _ = io.WriteString(w, "own words")
	}))
	got := get(t, serveHTTP(t, mux), "/")
	if got.StatusCode != 404 || got.body != "own words" || got.Header.Get("ETag") != `"7"` || got.Header.Get("Content-Type") != "text/x" {
		t.Errorf("got %d %q %v", got.StatusCode, got.body, got.Header)
	}
	if end := tr.end(t); end.status != 404 || end.code != "NotFound" {
		t.Errorf("AfterResponse saw %d %s", end.status, end.code)
	}
}

// TestRenderErrors: a user's renderer writes what hooks made of the failure.
func TestRenderErrors(t *testing.T) {
	t.Parallel()
	own := httpadapter.RenderErrors(func(w http.ResponseWriter, r *http.Request, err error) {
		w.Header().Set("Content-Type", "text/own")
		w.WriteHeader(interceptor.HTTPStatusOf(err))
		_, _ = io.WriteString(w, r.URL.Path+": "+interceptor.StatusOf(err).Message())
	})
	stack := newTrace().two(func(f *interceptor.Funcs) {
		f.OnError = func(context.Context, *interceptor.Call, error) error { return fails }
	})
	for name, h := range map[string]http.Handler{
		"mux":  muxWith(stack, "/", failing(errTest), own),
		"wrap": httpadapter.Wrap(stack, failing(errTest), own),
	} {
		got := get(t, serveHTTP(t, h), "/p")
		if got.StatusCode != 403 || got.body != "/p: not you" || got.Header.Get("Content-Type") != "text/own" {
			t.Errorf("%s: got %d %s %q", name, got.StatusCode, got.Header.Get("Content-Type"), got.body)
		}
	}
}

// TestFailingRenderer: a renderer that fails makes a bare 500 and is not asked
// again.
func TestFailingRenderer(t *testing.T) {
	t.Parallel()
	tests := map[string]httpadapter.Renderer{
		"panics": func(http.ResponseWriter, *http.Request, error) { panic("renderer") },
		"panics after a header": func(w http.ResponseWriter, _ *http.Request, _ error) {
			w.Header().Set("Content-Type", "x/y")
			panic("renderer")
		},
		"writes nothing":          func(http.ResponseWriter, *http.Request, error) {},
		"writes a success":        func(w http.ResponseWriter, _ *http.Request, _ error) { w.WriteHeader(200) },
		"writes a redirect":       func(w http.ResponseWriter, r *http.Request, _ error) { http.Redirect(w, r, "/login", 302) },
		"body without a status":   func(w http.ResponseWriter, _ *http.Request, _ error) { _, _ = io.WriteString(w, "all fine") },
		"status out of all sense": func(w http.ResponseWriter, _ *http.Request, _ error) { w.WriteHeader(1000) },
	}
	for name, render := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tr := newTrace()
			calls := 0
			mux := muxWith(tr.two(nil), "/", failing(fails), httpadapter.RenderErrors(func(w http.ResponseWriter, r *http.Request, err error) {
				calls++
				render(w, r, err)
			}))
			got := get(t, serveHTTP(t, mux), "/")
			end := tr.end(t)
			if got.StatusCode != 500 || got.body != "" || calls != 1 {
				t.Errorf("got %d %q after %d calls of the renderer", got.StatusCode, got.body, calls)
			}
			if end.status != 500 || end.code != "Internal" || !errors.Is(end.err, fails) || len(tr.reported()) == 0 {
				t.Errorf("AfterResponse saw %d %s %v; reported %v", end.status, end.code, end.err, tr.reported())
			}
		})
	}
}

// TestRendererThatPanicsHalfway aborts the connection: half an answer must not
// look complete.
func TestRendererThatPanicsHalfway(t *testing.T) {
	t.Parallel()
	tr := newTrace()
	mux := muxWith(tr.two(nil), "/", failing(fails), httpadapter.RenderErrors(func(w http.ResponseWriter, _ *http.Request, _ error) {
		w.WriteHeader(403)
		_ = http.NewResponseController(w).Flush()
		panic("renderer")
	}))
	s := serveHTTP(t, mux)
	resp, err := s.Client().Do(request(t, s, "GET", "/", ""))
	if err == nil {
		defer func() { _ = resp.Body.Close() }()
		_, err = io.ReadAll(resp.Body)
	}
	if err == nil {
		t.Error("the response looks complete")
	}
	tr.end(t)
}

// TestHandlerFuncBehindForeignMiddleware: its error reaches the hooks although
// the middleware knows nothing of errors, and although it writes afterwards.
func TestHandlerFuncBehindForeignMiddleware(t *testing.T) {
	t.Parallel()
	for name, after := range map[string]func(w http.ResponseWriter){
		"silent":           func(http.ResponseWriter) {},
		"writes a trailer": func(w http.ResponseWriter) { _, _ = io.WriteString(w, "end of compressed data") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tr := newTrace()
			mux := muxWith(tr.two(nil), "/", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Content-Encoding", "gzip")
				failing(fails).ServeHTTP(w, r)
				after(w)
			}))
			got := get(t, serveHTTP(t, mux), "/")
			end := tr.end(t)
			if got.StatusCode != 403 || got.body != `{"code":7,"message":"not you","details":[]}` || !errors.Is(end.err, fails) {
				t.Errorf("got %d %q, AfterResponse saw %v", got.StatusCode, got.body, end.err)
			}
			tr.want(t, "BR1 BR2 BH1 BH2 OE2 OE1 RS2 RS1 AR2 AR1")
		})
	}
}

// TestHandlerFuncWithoutAStack renders by itself.
func TestHandlerFuncWithoutAStack(t *testing.T) {
	t.Parallel()
	got := record(failing(fails), "GET", "/")
	if got.Code != 403 || got.Body.String() != `{"code":7,"message":"not you","details":[]}` {
		t.Errorf("got %d %s", got.Code, got.Body)
	}
	if got = record(failing(nil), "GET", "/"); got.Code != 200 || got.Body.Len() != 0 {
		t.Errorf("got %d %s for no error", got.Code, got.Body)
	}
}

// TestErrorAfterCommit: the outcome is the error; a success that is incomplete
// is aborted, an error status that the handler wrote is not.
func TestErrorAfterCommit(t *testing.T) {
	t.Parallel()
	for status, complete := range map[int]bool{200: false, 400: true} {
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			t.Parallel()
			tr := newTrace()
			s := serveHTTP(t, muxWith(tr.two(nil), "/", httpadapter.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) error {
				w.WriteHeader(status)
				_, _ = io.WriteString(w, "half")
				return errTest
			})))
			resp, err := s.Client().Do(request(t, s, "GET", "/", ""))
			if err == nil {
				defer func() { _ = resp.Body.Close() }()
				_, err = io.ReadAll(resp.Body)
			}
			if (err == nil) != complete {
				t.Errorf("reading the response: %v; complete should be %v", err, complete)
			}
			end := tr.end(t)
			if !complete && !errors.Is(end.err, errTest) || end.status != status {
				t.Errorf("AfterResponse saw %d %v", end.status, end.err)
			}
			tr.want(t, "BR1 BR2 BH1 BH2 "+map[bool]string{true: "OE2 OE1 RS2 RS1 ", false: "RS2 RS1 OE2 OE1 "}[complete]+"AR2 AR1")
		})
	}
}

// TestTooLargeBody: a body over http.MaxBytesReader's limit is 413, and over
// HTTP/1.1 the connection is closed.
func TestTooLargeBody(t *testing.T) {
	t.Parallel()
	limited := func(w http.ResponseWriter, r *http.Request) error {
		_, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 10))
		return err
	}
	for name, h := range map[string]http.Handler{
		"returned": httpadapter.HandlerFunc(limited),
		"written": http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if err := limited(w, r); err != nil {
				http.Error(w, "too large", 413)
			}
		}),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tr := newTrace()
			s := serveHTTP(t, muxWith(tr.two(nil), "/", h))
			conn, br := dial(t, s)
			write(t, conn, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n%s", strings.Repeat("x", 100))
			got := readResponse(t, br)
			if got.StatusCode != 413 || !got.Close {
				t.Errorf("got %d, close %v", got.StatusCode, got.Close)
			}
			if _, err := br.ReadByte(); !errors.Is(err, io.EOF) {
				t.Errorf("the connection stayed open: %v", err)
			}
			if end := tr.end(t); end.code != "ResourceExhausted" || end.status != 413 {
				t.Errorf("AfterResponse saw %s %d", end.code, end.status)
			}
		})
	}
}
