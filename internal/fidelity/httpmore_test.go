package fidelity_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing/fstest"
	"time"
)

// trailers are announced or not, with and without a body.
var trailers = []simple{
	{name: "announced trailers", handler: func(c *conversation, w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Trailer", "X-Sum, X-Never")
		write(c, w, "body")
		w.Header().Set("X-Sum", "42")
		w.Header().Set("X-Other", "lost")
	}},
	{name: "announced trailers without a body", handler: func(_ *conversation, w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Trailer", "X-Sum")
		w.WriteHeader(200)
		w.Header().Set("X-Sum", "42")
	}},
	{name: "announced trailers of a flushed response", fields: []string{"TE: trailers"}, handler: func(_ *conversation, w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Trailer", "X-Sum")
		_ = http.NewResponseController(w).Flush()
		w.Header().Set("X-Sum", "42")
	}},
	{name: "trailers under the prefix", handler: func(c *conversation, w http.ResponseWriter, _ *http.Request) {
		write(c, w, "body")
		w.Header().Set(http.TrailerPrefix+"X-Sum", "42")
	}},
	{name: "trailers under the prefix after a flush", handler: func(c *conversation, w http.ResponseWriter, _ *http.Request) {
		write(c, w, "body")
		_ = http.NewResponseController(w).Flush()
		w.Header().Set(http.TrailerPrefix+"X-Sum", "42")
	}},
	{name: "trailers under the prefix without a body", handler: func(_ *conversation, w http.ResponseWriter, _ *http.Request) {
		w.Header().Set(http.TrailerPrefix+"X-Sum", "42")
	}},
	{name: "trailers beside a length", handler: func(c *conversation, w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Trailer", "X-Sum")
		w.Header().Set("Content-Length", "4")
		write(c, w, "body")
		w.Header().Set("X-Sum", "42")
	}},
	{name: "trailers of HEAD", method: "HEAD", handler: func(c *conversation, w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Trailer", "X-Sum")
		w.WriteHeader(200)
		w.Header().Set("X-Sum", "42")
	}},
	{name: "trailers that may not be", handler: func(c *conversation, w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Trailer", "Content-Length")
		write(c, w, "body")
		w.Header().Set("Content-Length", "1")
	}},
}

var tree = http.FS(fstest.MapFS{
	"page.html":      {Data: []byte("<p>page"), ModTime: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)},
	"data.bin":       {Data: bytes.Repeat([]byte("0123456789"), 1000), ModTime: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)},
	"dir/index.html": {Data: []byte("index"), ModTime: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)},
	"list/a.txt":     {Data: []byte("a")},
})

func serveFile(_ *conversation, w http.ResponseWriter, r *http.Request) {
	http.FileServer(tree).ServeHTTP(w, r)
}

func serveContent(_ *conversation, w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Etag", `"v1"`)
	http.ServeContent(w, r, "page.txt", time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), strings.NewReader("0123456789"))
}

// files are what net/http serves by itself, ranges and conditions included.
var files = []simple{
	{name: "a file", target: "/data.bin", handler: serveFile},
	{name: "HEAD of a file", method: "HEAD", target: "/data.bin", handler: serveFile},
	{name: "a range of a file", target: "/data.bin", fields: []string{"Range: bytes=10-19"}, handler: serveFile},
	{name: "the end of a file", target: "/data.bin", fields: []string{"Range: bytes=-5"}, handler: serveFile},
	{name: "a range that is not there", target: "/data.bin", fields: []string{"Range: bytes=99999-"}, handler: serveFile},
	{name: "a file that has not changed", target: "/page.html", fields: []string{"If-Modified-Since: Fri, 02 Jan 2026 03:04:05 GMT"}, handler: serveFile},
	{name: "a file that is not there", target: "/nothing", handler: serveFile},
	{name: "a folder without its slash", target: "/dir", handler: serveFile},
	{name: "the index of a folder", target: "/dir/", handler: serveFile},
	{name: "the list of a folder", target: "/list/", handler: serveFile},
	{name: "content with a matching tag", fields: []string{`If-None-Match: "v1"`}, handler: serveContent},
	{name: "content with another tag", fields: []string{`If-Match: "v2"`}, handler: serveContent},
	{name: "a range if the tag matches", fields: []string{"Range: bytes=2-4", `If-Range: "v1"`}, handler: serveContent},
	{name: "a file of the system", handler: func(c *conversation, w http.ResponseWriter, _ *http.Request) {
		f, err := os.Open("testdata/file.txt")
		if err != nil {
			c.Error(err)
			return
		}
		defer func() { _ = f.Close() }()
		n, err := io.Copy(w, f)
		c.note("copied %d: %v", n, err)
	}},
	{name: "a copy from a reader", handler: func(c *conversation, w http.ResponseWriter, _ *http.Request) {
		n, err := io.Copy(w, io.LimitReader(strings.NewReader(strings.Repeat("r", 9000)), 8000))
		c.note("copied %d: %v", n, err)
	}},
	{name: "a copy into a declared length", handler: func(c *conversation, w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "5")
		n, err := io.Copy(w, onlyReader{strings.NewReader("longer than that")})
		c.note("copied %d: %v", n, named(err))
	}},
	{name: "a copy of nothing", handler: func(c *conversation, w http.ResponseWriter, _ *http.Request) {
		n, err := io.Copy(w, onlyReader{strings.NewReader("")})
		c.note("copied %d: %v", n, err)
	}},
	{name: "a copy of nothing and then a status", handler: func(c *conversation, w http.ResponseWriter, _ *http.Request) {
		_, _ = io.Copy(w, onlyReader{strings.NewReader("")})
		w.WriteHeader(202)
		write(c, w, "accepted")
	}},
	{name: "a copy that fails", handler: func(c *conversation, w http.ResponseWriter, _ *http.Request) {
		n, err := io.Copy(w, io.MultiReader(strings.NewReader("some"), failingReader{}))
		c.note("copied %d: %v", n, err)
	}},
	{name: "a copy with HEAD", method: "HEAD", handler: func(c *conversation, w http.ResponseWriter, _ *http.Request) {
		n, err := io.Copy(w, onlyReader{strings.NewReader("text")})
		c.note("copied %d: %v", n, named(err))
	}},
	{name: "a copy with 204", handler: func(c *conversation, w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(204)
		n, err := io.Copy(w, onlyReader{strings.NewReader("text")})
		c.note("copied %d: %v", n, named(err))
	}},
}

// onlyReader hides everything but Read.
type onlyReader struct{ io.Reader }

type failingReader struct{}

func (failingReader) Read([]byte) (int, error) { return 0, errors.New("the source is broken") }

// requests are about what a handler is given.
var requests = []simple{
	{
		name: "the request of a handler", method: "POST", target: "/a%2Fb/../c?q=1;2&q=%zz#f",
		fields: []string{"X-Two: b", "x-two: a", "Cookie: k=v; k=w", "Accept-Encoding: gzip"}, body: "form=1", handler: noteRequest,
	},
	{name: "path values and the pattern", target: "/items/a%20b", handler: func(c *conversation, w http.ResponseWriter, r *http.Request) {
		_, _ = fmt.Fprintf(w, "%q %q", r.Pattern, r.PathValue("id"))
	}},
	{name: "another verb than the pattern's", method: "DELETE", target: "/items/1", handler: func(c *conversation, w http.ResponseWriter, r *http.Request) {
		_, _ = fmt.Fprintf(w, "%q %q", r.Pattern, r.PathValue("id"))
	}},
	{name: "a path that is not clean", target: "/a//b/../c", handler: noteRequest},
	{name: "a parsed form", method: "POST", target: "/?a=1&b=2", fields: []string{"Content-Type: application/x-www-form-urlencoded"}, body: "a=3&c=%41", handler: func(c *conversation, w http.ResponseWriter, r *http.Request) {
		c.note("form: %v %v", r.FormValue("a"), r.ParseForm())
		_, _ = fmt.Fprint(w, r.Form.Encode(), " ", r.PostForm.Encode())
	}},
	{name: "a body within the limit", method: "POST", body: "0123456789", handler: limited(10)},
	{name: "a body over the limit", method: "POST", body: "0123456789", handler: limited(9)},
	{name: "a body over the limit and another status", method: "POST", body: "0123456789", handler: func(c *conversation, w http.ResponseWriter, r *http.Request) {
		_, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 3))
		c.note("read: %v", err)
		http.Error(w, "no", 400)
	}},
	{name: "a body over the limit of a handler around", method: "POST", body: "0123456789", handler: func(c *conversation, w http.ResponseWriter, r *http.Request) {
		http.MaxBytesHandler(handles(limited(100))(c), 5).ServeHTTP(w, r)
	}},
	{name: "413 for a body that was read", method: "POST", body: "read", handler: func(_ *conversation, w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		http.Error(w, "large", 413)
	}},
	{name: "a small body left unread", method: "POST", only1: true, body: strings.Repeat("u", 1000), handler: func(c *conversation, w http.ResponseWriter, _ *http.Request) { write(c, w, "thanks") }},
	{name: "a body left unread up to the last byte that is drained", method: "POST", only1: true, body: strings.Repeat("u", 256<<10-1), handler: func(c *conversation, w http.ResponseWriter, _ *http.Request) { write(c, w, "thanks") }},
	{name: "a body left unread that is too long to be drained", method: "POST", only1: true, body: strings.Repeat("u", 300<<10), handler: func(c *conversation, w http.ResponseWriter, _ *http.Request) { write(c, w, "thanks") }},
	{name: "a body read in part", method: "POST", body: strings.Repeat("u", 5000), handler: func(c *conversation, w http.ResponseWriter, r *http.Request) {
		n, err := io.ReadFull(r.Body, make([]byte, 100))
		c.note("read %d: %v", n, err)
		write(c, w, "enough")
	}},
	{name: "a body read after the answer", method: "POST", body: "late", handler: func(c *conversation, w http.ResponseWriter, r *http.Request) {
		write(c, w, strings.Repeat("w", 5000))
		got, err := io.ReadAll(r.Body)
		c.note("read %q: %v", got, named(err))
	}},
	{name: "a body read while answering in full duplex", method: "POST", body: "late", handler: func(c *conversation, w http.ResponseWriter, r *http.Request) {
		c.note("full duplex: %v", named(http.NewResponseController(w).EnableFullDuplex()))
		write(c, w, strings.Repeat("w", 5000))
		got, err := io.ReadAll(r.Body)
		c.note("read %q: %v", got, named(err))
	}},
	{name: "a body closed twice", method: "POST", body: "text", handler: func(c *conversation, w http.ResponseWriter, r *http.Request) {
		c.note("close: %v %v", r.Body.Close(), r.Body.Close())
		_, err := r.Body.Read(make([]byte, 1))
		c.note("read: %v", named(err))
	}},
	{name: "deadlines of the handler", handler: func(c *conversation, w http.ResponseWriter, _ *http.Request) {
		rc := http.NewResponseController(w)
		c.note("deadlines: %v %v", named(rc.SetReadDeadline(time.Now().Add(patience))), named(rc.SetWriteDeadline(time.Now().Add(patience))))
		write(c, w, "in time")
	}},
	{name: "a write after its deadline", handler: func(c *conversation, w http.ResponseWriter, _ *http.Request) {
		rc := http.NewResponseController(w)
		if err := rc.SetWriteDeadline(time.Now().Add(-time.Second)); err != nil {
			c.note("deadline: %v", named(err))
			return
		}
		write(c, w, "never")
		c.note("flushed: %t", rc.Flush() == nil)
	}},
	{name: "what a writer can do", handler: noteAbilities},
	{name: "an answer without a writer's Unwrap", handler: func(c *conversation, w http.ResponseWriter, r *http.Request) {
		noteAbilities(c, struct{ http.ResponseWriter }{w}, r)
	}},
	{name: "a proxy", handler: func(c *conversation, w http.ResponseWriter, r *http.Request) { proxyTo(c).ServeHTTP(w, r) }},
	{name: "a handler under a prefix", target: "/pre/x", handler: func(c *conversation, w http.ResponseWriter, r *http.Request) {
		http.StripPrefix("/pre", handles(noteRequest)(c)).ServeHTTP(w, r)
	}},
	{name: "a handler that takes too long", handler: func(c *conversation, w http.ResponseWriter, r *http.Request) {
		http.TimeoutHandler(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }), time.Millisecond, "too long").ServeHTTP(w, r)
	}},
	{name: "a handler within its time", handler: func(c *conversation, w http.ResponseWriter, r *http.Request) {
		http.TimeoutHandler(handles(func(c *conversation, w http.ResponseWriter, r *http.Request) {
			w.Header().Set("X-Own", "1")
			write(c, w, "in time")
		})(c), patience, "too long").ServeHTTP(w, r)
	}},
}

func limited(n int64) func(*conversation, http.ResponseWriter, *http.Request) {
	return func(c *conversation, w http.ResponseWriter, r *http.Request) {
		got, err := io.ReadAll(http.MaxBytesReader(w, r.Body, n))
		var tooLarge *http.MaxBytesError
		if c.note("read %d: %v", len(got), err); errors.As(err, &tooLarge) {
			http.Error(w, err.Error(), http.StatusRequestEntityTooLarge)
			return
		}
		write(c, w, "fine")
	}
}

// noteRequest notes all that a handler can know of its request.
func noteRequest(c *conversation, w http.ResponseWriter, r *http.Request) {
	c.note("%s %s %s host %q uri %q", r.Method, r.URL, r.Proto, r.Host, r.RequestURI)
	c.note("path %q raw %q query %q form %v", r.URL.Path, r.URL.RawPath, r.URL.RawQuery, r.Form)
	for _, key := range slices.Sorted(maps.Keys(r.Header)) {
		c.note("%s %q", key, r.Header[key])
	}
	c.note("length %d coding %v close %t tls %t no body %t body %T multipart %t", r.ContentLength, r.TransferEncoding, r.Close, r.TLS != nil, r.Body == http.NoBody, r.Body, r.MultipartForm != nil)
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	c.note("from %q %v", host, err)
	_, ofServer := r.Context().Value(http.ServerContextKey).(*http.Server)
	_, local := r.Context().Value(http.LocalAddrContextKey).(net.Addr)
	_, deadline := r.Context().Deadline()
	c.note("context: server %t address %t deadline %t done %v", ofServer, local, deadline && r.Context().Value(idleKey{}) == nil, r.Context().Err())
	body, err := io.ReadAll(r.Body)
	c.note("body %q %v trailer %v", body, err, r.Trailer)
	write(c, w, "noted")
}

// noteAbilities notes which optional interfaces a writer has.
func noteAbilities(c *conversation, w http.ResponseWriter, r *http.Request) {
	has := func(name string, ok bool) { c.note("%s %t", name, ok) }
	_, ok := w.(http.Flusher)
	has("http.Flusher", ok)
	_, ok = w.(interface{ FlushError() error })
	has("FlushError", ok)
	_, ok = w.(http.Hijacker)
	has("http.Hijacker", ok)
	_, ok = w.(io.ReaderFrom)
	has("io.ReaderFrom", ok)
	_, ok = w.(io.StringWriter)
	has("io.StringWriter", ok)
	_, ok = w.(http.CloseNotifier) //nolint:staticcheck // handlers may still ask for it
	has("http.CloseNotifier", ok)
	pusher, ok := w.(http.Pusher)
	has("http.Pusher", ok)
	if ok {
		c.note("push: %v", named(pusher.Push("/x", nil)))
	}
	rc := http.NewResponseController(w)
	c.note("full duplex: %v", named(rc.EnableFullDuplex()))
	c.note("flush: %v", named(rc.Flush()))
	if r.ProtoMajor == 2 {
		_, _, err := rc.Hijack()
		c.note("hijack: %v", named(err))
	}
}

// proxyTo is a reverse proxy to a server of its own, with a trailer and an early
// hint.
func proxyTo(c *conversation) http.Handler {
	back := serveHTTP(c, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Link", "</a.css>")
		w.WriteHeader(103)
		w.Header().Set("Trailer", "X-Sum")
		_, _ = io.WriteString(w, "from behind")
		w.Header().Set("X-Sum", "42")
	}))
	return httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: back.addr})
}

// panics end a handler early.
var panics = []simple{
	{name: "a panic", handler: func(*conversation, http.ResponseWriter, *http.Request) { panic("handler") }},
	{name: "a panic after the header was set", handler: func(_ *conversation, w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "10")
		panic(errors.New("handler"))
	}},
	{name: "a panic after a flush", handler: func(c *conversation, w http.ResponseWriter, _ *http.Request) {
		write(c, w, "some")
		_ = http.NewResponseController(w).Flush()
		panic("handler")
	}},
	{name: "a panic after a buffered write", handler: func(c *conversation, w http.ResponseWriter, _ *http.Request) {
		write(c, w, "some")
		panic("handler")
	}},
	{name: "an aborted handler", handler: func(*conversation, http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }},
	{name: "an aborted handler after a flush", handler: func(c *conversation, w http.ResponseWriter, _ *http.Request) {
		write(c, w, "some")
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	}},
	{name: "a status that does not exist", handler: func(_ *conversation, w http.ResponseWriter, _ *http.Request) { w.WriteHeader(99) }},
	{name: "a cancelled handler", handler: func(_ *conversation, _ http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithCancel(r.Context())
		cancel()
		<-ctx.Done()
	}},
}
