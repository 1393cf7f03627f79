package interceptortest

import (
	"context"
	"net/http"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// exchange is one call as a client makes it.
type exchange struct {
	header  http.Header
	text    string
	timeout time.Duration // 0 is the kit's patience

	unknown     bool            // to a method or route that does not exist
	undecodable bool            // with a request that cannot be decoded
	silent      bool            // without a message, on client and bidi streams
	cancel      <-chan struct{} // give up when it is closed
}

// answer is what the client got.
type answer struct {
	status     *status.Status
	err        error    // as the client returned it; of an HTTP error, the status
	httpStatus int      // 0 on gRPC, and where there was no response
	texts      []string // of the messages, or the body of a plain success
	header     http.Header
	trailer    http.Header
	body       string // the whole body, on HTTP
}

func (a *answer) code() codes.Code { return a.status.Code() }

// headers are all values of a key that the client got, in headers or trailers: a
// gRPC error without a message has only trailers.
func (a *answer) headers(key string) []string {
	return append(append([]string(nil), a.header.Values(key)...), a.trailer.Values(key)...)
}

// client calls one method of a site.
type client interface {
	call(ctx context.Context, x exchange) *answer
}

// send makes a call whose goroutines are those of the site.
func (s *site) send(ctx context.Context, x exchange) (got *answer) {
	if x.timeout <= 0 {
		x.timeout = patience
	}
	ctx, stop := context.WithTimeout(ctx, x.timeout)
	defer stop()
	s.marked(ctx, func(ctx context.Context) {
		if x.cancel != nil {
			go func() {
				select {
				case <-x.cancel:
					stop()
				case <-ctx.Done():
				}
			}()
		}
		got = s.client.call(ctx, x)
	})
	return got
}

// failed is the answer of a client that got none.
func failed(err error) *answer {
	st, ok := status.FromError(err)
	if !ok {
		st = status.FromContextError(err)
	}
	return &answer{status: st, err: err}
}
