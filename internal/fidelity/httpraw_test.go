package fidelity_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"os"
	"strings"

	"golang.org/x/net/http2"
)

// raw is a conversation over HTTP/1.1.
func raw(name string, handler func(c *conversation, w http.ResponseWriter, r *http.Request), talk func(c *conversation, h *h1)) scenario[handlerFor] {
	return scenario[handlerFor]{name, handles(handler), func(c *conversation, s *site) { talk(c, dialH1(c, s)) }}
}

// sends is a conversation of one write whose answers are all read.
func sends(bytes string, answers int) func(*conversation, *h1) {
	return func(_ *conversation, h *h1) {
		h.send(bytes)
		for range answers {
			h.answer("GET")
		}
		h.probe()
	}
}

func echo(c *conversation, w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	c.note("%s %s %q: %v trailer %v", r.Method, r.URL, body, err, r.Trailer)
	if err != nil {
		http.Error(w, "unreadable", 400)
		return
	}
	_, _ = w.Write(body)
}

const post = "POST / HTTP/1.1\r\nHost: h\r\n"

// rawH1 are conversations that only bytes can hold.
var rawH1 = []scenario[handlerFor]{
	raw("pipelined requests", echo, sends(request("GET", "/1")+request("GET", "/2")+request("GET", "/3"), 3)),
	raw("a chunked body with trailers", echo, sends(post+"Transfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n3\r\nabc\r\n2;ext=1\r\nde\r\n0\r\nX-Sum: 1\r\n\r\n", 1)),
	raw("a chunk without an end", echo, sends(post+"Transfer-Encoding: chunked\r\n\r\n3\r\nabcde\r\n0\r\n\r\n", 1)),
	raw("a chunk of no size", echo, sends(post+"Transfer-Encoding: chunked\r\n\r\nzz\r\n\r\n", 1)),
	raw("two lengths", echo, sends(post+"Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd", 1)),
	raw("a length and chunks", echo, sends(post+"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 1)),
	raw("a negative length", echo, sends(post+"Content-Length: -3\r\n\r\n", 1)),
	raw("no host", echo, sends("GET / HTTP/1.1\r\n\r\n", 1)),
	raw("two hosts", echo, sends("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 1)),
	raw("no request", echo, sends("nothing that looks like a request\r\n\r\n", 1)),
	raw("a path without its slash", echo, sends("GET v1/items HTTP/1.1\r\nHost: h\r\n\r\n", 1)),
	raw("a path that cannot be decoded", echo, sends("GET /%zz HTTP/1.1\r\nHost: h\r\n\r\n", 1)),
	raw("the absolute form", noteRequest, sends("GET http://other.test/p?q HTTP/1.1\r\nHost: h\r\n\r\n", 1)),
	raw("the authority form", noteRequest, sends("CONNECT other.test:443 HTTP/1.1\r\nHost: other.test:443\r\n\r\n", 1)),
	raw("a verb nobody knows", noteRequest, sends("BREW /pot HTTP/1.1\r\nHost: h\r\n\r\n", 1)),
	raw("a version nobody knows", echo, sends("GET / HTTP/3.0\r\nHost: h\r\n\r\n", 1)),
	raw("a field name with a space", echo, sends("GET / HTTP/1.1\r\nHost: h\r\nX A: 1\r\n\r\n", 1)),
	raw("more header than is read", echo, sends("GET / HTTP/1.1\r\nHost: h\r\nX-Large: "+strings.Repeat("x", 100<<10)+"\r\n\r\n", 1)),
	raw("an expectation that is met", echo, func(_ *conversation, h *h1) {
		h.send(post + "Expect: 100-continue\r\nContent-Length: 4\r\n\r\n")
		h.interim()
		h.send("body")
		h.answer("POST")
		h.probe()
	}),
	raw("an expectation that nobody waits for", func(_ *conversation, w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "no", 401)
	}, func(_ *conversation, h *h1) {
		h.send(post + "Expect: 100-continue\r\nContent-Length: 4\r\n\r\n")
		h.answer("POST")
		h.send("body")
		h.probe()
	}),
	raw("an expectation and a flush", func(_ *conversation, w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(401)
		_ = http.NewResponseController(w).Flush()
	}, func(_ *conversation, h *h1) {
		h.send(post + "Expect: 100-continue\r\nContent-Length: 4\r\n\r\n")
		h.answer("POST")
		h.send("body")
		h.probe()
	}),
	raw("an expectation and a limit", limited(3), func(_ *conversation, h *h1) {
		h.send(post + "Expect: 100-continue\r\nContent-Length: 4\r\n\r\n")
		h.interim()
		h.send("body")
		h.answer("POST")
		h.probe()
	}),
	raw("an explicit 100", func(c *conversation, w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusContinue)
		echo(c, w, r)
	}, func(_ *conversation, h *h1) {
		h.send(post + "Expect: 100-continue\r\nContent-Length: 4\r\n\r\n")
		h.interim()
		h.send("body")
		h.answer("POST")
		h.probe()
	}),
	raw("an expectation nobody knows", echo, sends(post+"Expect: tea\r\nContent-Length: 4\r\n\r\nbody", 1)),
	raw("a body that ends early", echo, func(c *conversation, h *h1) {
		h.send(post + "Content-Length: 10\r\n\r\nhalf")
		h.closeWrite()
		h.answer("POST")
		h.closed()
	}),
	raw("a long body over the limit", limited(1000), func(_ *conversation, h *h1) {
		h.send(post + "Content-Length: 1000000\r\n\r\n" + strings.Repeat("x", 2000))
		h.answer("POST")
		h.closed()
	}),
	raw("a client that leaves", func(c *conversation, _ http.ResponseWriter, r *http.Request) {
		c.reach("inside")
		<-r.Context().Done()
		c.note("%v cause %v", r.Context().Err(), context.Cause(r.Context()))
		c.reach("gone")
	}, func(c *conversation, h *h1) {
		h.send(request("GET", "/"))
		c.wait("inside")
		_ = h.conn.Close()
		c.wait("gone")
	}),
	raw("a connection taken over", func(c *conversation, w http.ResponseWriter, _ *http.Request) {
		hijacker, ok := w.(http.Hijacker)
		if c.note("can %t", ok); !ok {
			return
		}
		conn, rw, err := hijacker.Hijack()
		if c.note("hijack: %v", err); err != nil {
			return
		}
		_, _, err = hijacker.Hijack()
		c.note("again: %v", named(err))
		write(c, w, "through the writer")
		w.WriteHeader(500)
		line, err := rw.ReadString('\n')
		c.note("sent before: %q %v", line, err)
		_, _ = rw.WriteString("raw " + line)
		_ = rw.Flush()
		_ = conn.Close()
	}, func(_ *conversation, h *h1) {
		h.send(request("GET", "/") + "already here\n")
		h.closed()
	}),
	raw("an upgrade", func(c *conversation, w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Own", "lost")
		conn, rw, err := http.NewResponseController(w).Hijack()
		if c.note("hijack: %v", named(err)); err != nil {
			http.Error(w, "cannot", 501)
			return
		}
		_, _ = fmt.Fprintf(rw, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: %s\r\n\r\n", r.Header.Get("Upgrade"))
		_ = rw.Flush()
		_, _ = io.Copy(conn, rw)
		_ = conn.Close()
		c.note("context: %v", r.Context().Err())
	}, func(_ *conversation, h *h1) {
		h.send(request("GET", "/", "Connection: Upgrade", "Upgrade: echo"))
		h.answer("GET")
		h.send("over and back")
		h.closeWrite()
		h.closed()
	}),
	raw("a takeover after the header", func(c *conversation, w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(202)
		conn, _, err := http.NewResponseController(w).Hijack()
		if c.note("hijack: %v", named(err)); err == nil {
			_ = conn.Close()
		}
	}, func(_ *conversation, h *h1) {
		h.send(request("GET", "/"))
		h.answer("GET")
	}),
	raw("a refused switch of protocols", func(_ *conversation, w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Upgrade", "x")
		w.WriteHeader(101)
	}, func(_ *conversation, h *h1) {
		h.send(request("GET", "/"))
		h.answer("GET")
		h.probe()
	}),
	raw("an upload and its files", upload, func(c *conversation, h *h1) {
		var body bytes.Buffer
		form := multipart.NewWriter(&body)
		part, _ := form.CreateFormFile("f", "f.txt")
		_, _ = part.Write(bytes.Repeat([]byte("f"), 100<<10))
		_ = form.Close()
		h.send(fmt.Sprintf("%sContent-Type: %s\r\nContent-Length: %d\r\n\r\n%s", post, form.FormDataContentType(), body.Len(), body.String()))
		h.answer("POST")
		h.probe() // the server is done with the request
		path, _ := c.marks.Load("file")
		_, err := os.Stat(path.(string))
		c.saw("the file is gone: %t", os.IsNotExist(err))
	}),
}

// upload keeps a form in files.
func upload(c *conversation, w http.ResponseWriter, r *http.Request) {
	if err := r.ParseMultipartForm(10); err != nil {
		c.Error(err)
		return
	}
	f, err := r.MultipartForm.File["f"][0].Open()
	if err != nil {
		c.Error(err)
		return
	}
	defer func() { _ = f.Close() }()
	file, ok := f.(*os.File)
	if c.note("on disk %t", ok); ok {
		c.marks.Store("file", file.Name())
	}
	write(c, w, "kept")
}

// frames is a conversation over HTTP/2.
func frames(name string, handler func(c *conversation, w http.ResponseWriter, r *http.Request), talk func(c *conversation, h *h2)) scenario[handlerFor] {
	return scenario[handlerFor]{name, handles(handler), func(c *conversation, s *site) {
		h := dialH2(c, s)
		talk(c, h)
		h.probe()
	}}
}

// opens is a conversation of one header block.
func opens(fields ...string) func(*conversation, *h2) {
	return func(_ *conversation, h *h2) { h.await(h.open(true, fields...)) }
}

// rawH2 are conversations that only frames can hold.
var rawH2 = []scenario[handlerFor]{
	frames("frames: a request of the handler", noteRequest, opens(get("GET", "/p?q", "x-two: b", "x-two: a", "cookie: a=1", "cookie: b=2")...)),
	frames("frames: a body that ends with trailers", echo, func(_ *conversation, h *h2) {
		id := h.open(false, get("POST", "/", "trailer: x-sum")...)
		h.send(id, false, []byte("body"))
		h.headers(id, true, "x-sum: 42")
		h.await(id)
	}),
	frames("frames: an answer before the body", func(c *conversation, w http.ResponseWriter, _ *http.Request) { write(c, w, "early") }, func(_ *conversation, h *h2) {
		id := h.open(false, get("POST", "/", "content-length: 100")...)
		h.await(id)
	}),
	frames("frames: a body shorter than its length", echo, func(_ *conversation, h *h2) {
		id := h.open(false, get("POST", "/", "content-length: 100")...)
		h.send(id, true, []byte("short"))
		h.await(id)
	}),
	frames("frames: a body longer than its length", func(c *conversation, w http.ResponseWriter, r *http.Request) {
		echo(c, w, r)
		c.reach("read")
	}, func(c *conversation, h *h2) {
		id := h.open(false, get("POST", "/", "content-length: 2")...)
		h.send(id, true, []byte("longer"))
		h.await(id) // the server's reset, which does not wait for the handler
		c.wait("read")
	}),
	frames("frames: a reset by the client", func(c *conversation, _ http.ResponseWriter, r *http.Request) {
		c.reach("inside")
		<-r.Context().Done()
		c.note("%v cause %v", r.Context().Err(), context.Cause(r.Context()))
		_, err := io.ReadAll(r.Body)
		c.note("body: %v", err)
		c.reach("gone")
	}, func(c *conversation, h *h2) {
		id := h.open(false, get("POST", "/")...)
		c.wait("inside")
		h.reset(id, http2.ErrCodeCancel)
		c.wait("gone")
	}),
	frames("frames: a write after a reset", func(c *conversation, w http.ResponseWriter, r *http.Request) {
		c.reach("inside")
		<-r.Context().Done()
		_, _ = io.WriteString(w, strings.Repeat("x", 100<<10))
		c.reach("gone")
	}, func(c *conversation, h *h2) {
		id := h.open(true, get("GET", "/")...)
		c.wait("inside")
		h.reset(id, http2.ErrCodeCancel)
		c.wait("gone")
	}),
	frames("frames: a window that opens late", func(c *conversation, w http.ResponseWriter, _ *http.Request) {
		write(c, w, strings.Repeat("w", 100<<10))
	}, func(_ *conversation, h *h2) {
		h.held = true
		id := h.open(true, get("GET", "/")...)
		h.awaitData(id, 65535)
		h.grant(id, 1<<20)
		h.await(id)
	}),
	frames("frames: two streams at once", func(c *conversation, w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/first" {
			c.wait("second answered")
		}
		_, _ = io.WriteString(w, r.URL.Path)
	}, func(c *conversation, h *h2) {
		first, second := h.open(true, get("GET", "/first")...), h.open(true, get("GET", "/second")...)
		h.await(second)
		c.reach("second answered")
		h.await(first)
	}),
	{"frames: a push", handles(func(c *conversation, w http.ResponseWriter, r *http.Request) {
		if pusher, ok := w.(http.Pusher); ok && r.URL.Path == "/" {
			c.note("push: %v", named(pusher.Push("/pushed", &http.PushOptions{Header: http.Header{"X-Own": {"1"}}})))
			c.wait("pushed")
		}
		_, _ = io.WriteString(w, r.URL.Path+" "+r.Header.Get("X-Own"))
	}), func(c *conversation, s *site) {
		h := dialH2(c, s, http2.Setting{ID: http2.SettingEnablePush, Val: 1})
		id := h.open(true, get("GET", "/")...)
		h.until(func() bool { return h.ended[2] || h.ended[id] })
		c.reach("pushed")
		h.await(id)
		h.probe()
	}},
	frames("frames: no path", echo, opens(":method: GET", ":scheme: http", ":authority: h")),
	frames("frames: two methods", echo, opens(":method: GET", ":method: POST", ":scheme: http", ":authority: h", ":path: /")),
	frames("frames: a path without its slash", echo, opens(get("GET", "p")...)),
	frames("frames: an asterisk for GET", echo, opens(get("GET", "*")...)),
	frames("frames: CONNECT", noteRequest, opens(":method: CONNECT", ":authority: other.test:443")),
	frames("frames: a connection field", echo, opens(get("GET", "/", "connection: close")...)),
	frames("frames: te without trailers", echo, opens(get("GET", "/", "te: gzip")...)),
	frames("frames: a field in upper case", echo, opens(get("GET", "/", "X-Upper: 1")...)),
	frames("frames: a host beside the authority", noteRequest, opens(get("GET", "/", "host: other.test")...)),
	frames("frames: more header than is read", echo, opens(get("GET", "/", "x-large: "+strings.Repeat("x", 100<<10))...)),
	frames("frames: an expectation", echo, func(_ *conversation, h *h2) {
		id := h.open(false, get("POST", "/", "expect: 100-continue", "content-length: 4")...)
		h.until(func() bool { return h.informed[id] })
		h.send(id, true, []byte("body"))
		h.await(id)
	}),
	frames("frames: a body on a closed stream", echo, func(_ *conversation, h *h2) {
		id := h.open(true, get("GET", "/")...)
		h.await(id)
		h.send(id, true, []byte("late"))
	}),
	frames("frames: streams in the wrong order", echo, func(_ *conversation, h *h2) {
		h.next = 5
		h.await(h.open(true, get("GET", "/")...))
		h.next = 3
		h.await(h.open(true, get("GET", "/")...))
	}),
}
