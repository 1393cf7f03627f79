package logging_test

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"

	"google.golang.org/grpc/codes"

	"github.com/crosscut-go/crosscut/builtin/logging"
	"github.com/crosscut-go/crosscut/builtin/requestid"
	"github.com/crosscut-go/crosscut/httpadapter"
	"github.com/crosscut-go/crosscut/interceptor"
)

var tenant = interceptor.NewKey[string]("tenant")

func Example() {
	byHost := interceptor.FromFuncs("tenant", interceptor.Funcs{
		BeforeHandler: func(ctx context.Context, call *interceptor.Call, _ *interceptor.Method) (context.Context, error) {
			if call.Authority() != "acme.example" {
				return nil, interceptor.NewError(codes.PermissionDenied, "unknown tenant")
			}
			tenant.Set(call, "acme")
			return ctx, nil
		},
	})
	stack := interceptor.MustNew(
		requestid.New(),
		logging.New(plainLogger(), logging.Keys(tenant)),
		byHost,
	)
	mux := httpadapter.NewMux(stack)
	mux.HandleFunc("GET /books/{id}", func(w http.ResponseWriter, r *http.Request) {
		logging.Add(r.Context(), slog.String("shelf", "A7"))
		_, _ = w.Write([]byte("Kindred"))
	})

	for _, host := range []string{"acme.example", "evil.example"} {
		r := httptest.NewRequest(http.MethodGet, "http://"+host+"/books/1?token=never-logged", nil)
		r.Header.Set("X-Request-Id", "for-"+host)
		mux.ServeHTTP(httptest.NewRecorder(), r)
	}

	// Output:
	// level=INFO msg=call method="GET /books/{id}" transport=http route=/books/{id} http_method=GET code=OK http_status=200 request_id=for-acme.example tenant=acme shelf=A7
	// level=INFO msg=call method="GET /books/{id}" transport=http route=/books/{id} http_method=GET code=PermissionDenied http_status=403 request_id=for-evil.example error="PermissionDenied: unknown tenant"
}

// plainLogger writes to standard output without what differs from run to run.
func plainLogger() *slog.Logger {
	differs := map[string]bool{
		slog.TimeKey: true, "duration": true, "peer": true,
		"received": true, "sent": true, "received_bytes": true, "sent_bytes": true,
	}
	return slog.New(slog.NewTextHandler(os.Stdout, &slog.HandlerOptions{
		ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
			if differs[a.Key] {
				return slog.Attr{}
			}
			return a
		},
	}))
}
