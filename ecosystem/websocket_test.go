package ecosystem_test

import (
	"context"
	"net/http"
	"testing"

	"github.com/coder/websocket"
	"google.golang.org/grpc/codes"

	"github.com/crosscut-go/crosscut/httpadapter"
	"github.com/crosscut-go/crosscut/interceptor"
)

// echoSocket answers every message of a WebSocket with itself until the client
// closes it.
func echoSocket(w http.ResponseWriter, r *http.Request) {
	conn, err := websocket.Accept(w, r, nil)
	if err != nil {
		return // Accept has answered
	}
	defer func() { _ = conn.CloseNow() }()
	for {
		kind, text, err := conn.Read(r.Context())
		if err != nil {
			return
		}
		if conn.Write(r.Context(), kind, text) != nil {
			return
		}
	}
}

// A WebSocket works inside a stack, with otelhttp on either side too, and is one
// call that ends when its handler does.
func TestWebSocket(t *testing.T) {
	t.Parallel()
	handler := http.HandlerFunc(echoSocket)
	for name, wrap := range map[string]func(*telemetry, *interceptor.Stack) http.Handler{
		"Mux": func(_ *telemetry, s *interceptor.Stack) http.Handler {
			m := httpadapter.NewMux(s)
			m.Handle("GET /socket", handler)
			return m
		},
		"Wrap": func(_ *telemetry, s *interceptor.Stack) http.Handler { return httpadapter.Wrap(s, handler) },
		"otelhttp inside": func(tel *telemetry, s *interceptor.Stack) http.Handler {
			return httpadapter.Wrap(s, tel.around(handler))
		},
		"otelhttp outside": func(tel *telemetry, s *interceptor.Stack) http.Handler {
			return tel.around(httpadapter.Wrap(s, handler))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l, outcome := newLedger(), make(chan *interceptor.Call, 1)
			addr := serveHTTP(t, wrap(newTelemetry(t), l.stack(t, reporter(outcome))))
			conn := dialSocket(t, addr)
			for _, text := range []string{"one", "two"} {
				if err := conn.Write(t.Context(), websocket.MessageText, []byte(text)); err != nil {
					t.Fatal(err)
				}
				if _, got, err := conn.Read(t.Context()); err != nil || string(got) != text {
					t.Fatalf("read %q, %v; want %q", got, err, text)
				}
			}
			select {
			case call := <-outcome:
				t.Errorf("the call has ended, %v, before the client left", call.Code())
			default:
			}
			if err := conn.Close(websocket.StatusNormalClosure, ""); err != nil {
				t.Error(err)
			}
			l.balance(t, 1)
			if call := <-outcome; call.Code() != codes.OK || call.HTTPStatus() != http.StatusSwitchingProtocols {
				t.Errorf("outcome %v, HTTP %d; want OK, 101", call.Code(), call.HTTPStatus())
			}
		})
	}
}

// A hook that refuses an upgrade answers it over HTTP.
func TestWebSocketRefused(t *testing.T) {
	t.Parallel()
	l := newLedger()
	var asked []string
	addr := serveHTTP(t, httpadapter.Wrap(l.stack(t, doorkeeper(&asked)), http.HandlerFunc(echoSocket)))
	conn, resp, err := websocket.Dial(t.Context(), "ws://"+addr, nil) //nolint:bodyclose // Dial has closed it
	if err == nil {
		_ = conn.CloseNow()
	}
	if err == nil || resp == nil || resp.StatusCode != http.StatusForbidden {
		t.Errorf("Dial: %v, %v; want a 403", resp, err)
	}
	l.balance(t, 1)
}

// reporter passes on each call when its outcome is final.
func reporter(outcome chan<- *interceptor.Call) interceptor.Hook {
	return interceptor.FromFuncs("reporter", interceptor.Funcs{
		AfterResponse: func(_ context.Context, call *interceptor.Call) { outcome <- call },
	})
}

func dialSocket(t *testing.T, addr string) *websocket.Conn {
	t.Helper()
	client := &http.Client{Transport: &http.Transport{}}
	conn, _, err := websocket.Dial(t.Context(), "ws://"+addr+"/socket", &websocket.DialOptions{HTTPClient: client}) //nolint:bodyclose // the connection owns it
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.CloseNow() })
	return conn
}
