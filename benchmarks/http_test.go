package benchmarks_test

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/crosscut-go/crosscut/benchmarks/contender"
	"github.com/crosscut-go/crosscut/benchmarks/rig"
	"github.com/crosscut-go/crosscut/httpadapter"
	"github.com/crosscut-go/crosscut/interceptor"
	pb "github.com/crosscut-go/crosscut/proto/crosscut/conformance/v1"
)

const pattern = "GET /books/list"

// ok is the plain handler.
var ok = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) })

// request is what every client sends.
func request(path string) *http.Request {
	r := httptest.NewRequest(http.MethodGet, path, http.NoBody)
	r.Header = header()
	return r
}

func header() http.Header {
	return http.Header{"User-Agent": {"test"}, contender.RequestID: {"4d1f0a2b7c"}, "Authorization": {"Bearer " + contender.Token}}
}

// runHTTP measures ServeHTTP.
func runHTTP(b *testing.B, h http.Handler, path string) {
	b.Helper()
	w, r := &rig.Nowhere{Headers: http.Header{}}, request(path)
	measure(b, func() error {
		w.Reset()
		h.ServeHTTP(w, r)
		return nil
	})
	if w.Status != http.StatusOK {
		b.Fatalf("%s answers %d, want 200", path, w.Status)
	}
}

// muxBy is a mux of this library with the plain handler.
func muxBy(stack *interceptor.Stack) http.Handler {
	mux := httpadapter.NewMux(stack)
	mux.Handle(pattern, ok)
	return mux
}

func BenchmarkHTTPDirect(b *testing.B) {
	const path = "/books/list"
	b.Run("bare", func(b *testing.B) { runHTTP(b, contender.BareHTTP(nil, pattern, ok), path) })
	b.Run("bare-chi", func(b *testing.B) { runHTTP(b, contender.BareChi(nil, pattern, ok), path) })
	b.Run("request-copy", func(b *testing.B) {
		mux := contender.BareHTTP(nil, pattern, ok)
		runHTTP(b, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			mux.ServeHTTP(w, r.WithContext(context.WithoutCancel(r.Context())))
		}), path)
	})
	b.Run("crosscut/empty", func(b *testing.B) { runHTTP(b, muxBy(interceptor.MustNew()), path) })
	for _, c := range contender.AllHTTP() {
		b.Run(c.Name+"/W5", func(b *testing.B) { runHTTP(b, c.Handler(parts(b, contender.W5), pattern, ok), path) })
		if c.Telemetry {
			b.Run(c.Name+"/W6", func(b *testing.B) { runHTTP(b, c.Handler(parts(b, contender.W6), pattern, ok), path) })
		}
	}
}

// runHTTPLoopback measures whole requests, client included.
func runHTTPLoopback(b *testing.B, h http.Handler, path string) {
	b.Helper()
	call, stop := rig.LoopbackHTTP(h, path, header())
	defer stop()
	measure(b, call)
}

func BenchmarkHTTPLoopback(b *testing.B) {
	const path = "/books/list"
	b.Run("bare", func(b *testing.B) { runHTTPLoopback(b, contender.BareHTTP(nil, pattern, ok), path) })
	for _, c := range contender.AllHTTP() {
		b.Run(c.Name+"/W5", func(b *testing.B) { runHTTPLoopback(b, c.Handler(parts(b, contender.W5), pattern, ok), path) })
		if c.Telemetry {
			b.Run(c.Name+"/W6", func(b *testing.B) { runHTTPLoopback(b, c.Handler(parts(b, contender.W6), pattern, ok), path) })
		}
	}
}

const restPath = "/v1/conformance/7?text=x"

// eachREST runs every way of serving REST with every work that it does.
func eachREST(b *testing.B, run func(b *testing.B, h http.Handler)) {
	b.Helper()
	for _, c := range contender.AllREST() {
		works := c.Works
		if works == nil {
			works = []contender.Work{0}
		}
		for _, work := range works {
			name := c.Name + map[contender.Work]string{contender.W5: "/W5", contender.W6: "/W6"}[work]
			b.Run(name, func(b *testing.B) {
				h, stop, err := c.Handler(parts(b, work))
				if err != nil {
					b.Fatal(err)
				}
				defer stop()
				run(b, h)
			})
		}
	}
}

// BenchmarkREST is a whole request through grpc-gateway without the socket that it
// came from; a gateway that dials has the one to its server.
func BenchmarkREST(b *testing.B) {
	eachREST(b, func(b *testing.B, h http.Handler) { runHTTP(b, h, restPath) })
}

// BenchmarkRESTLoopback is BenchmarkREST with the socket that the request came from.
func BenchmarkRESTLoopback(b *testing.B) {
	eachREST(b, func(b *testing.B, h http.Handler) { runHTTPLoopback(b, h, restPath) })
}

// BenchmarkConnect is the method Unary served by connect, without a socket.
func BenchmarkConnect(b *testing.B) {
	body, err := proto.Marshal(&pb.UnaryRequest{Text: "x"})
	if err != nil {
		b.Fatal(err)
	}
	run := func(b *testing.B, h http.Handler) {
		w, r := &rig.Nowhere{Headers: http.Header{}}, request(pb.ConformanceService_Unary_FullMethodName)
		r.Method = http.MethodPost
		r.Header.Set("Content-Type", "application/proto")
		reader := bytes.NewReader(body)
		r.Body, r.ContentLength = io.NopCloser(reader), int64(len(body))
		measure(b, func() error {
			reader.Reset(body)
			w.Reset()
			h.ServeHTTP(w, r)
			return nil
		})
		if w.Status != http.StatusOK {
			b.Fatalf("connect answers %d, want 200", w.Status)
		}
	}
	b.Run("bare", func(b *testing.B) { run(b, contender.Connect(nil)) })
	b.Run("W5", func(b *testing.B) { run(b, contender.Connect(parts(b, contender.W5))) })
}
