package interceptortest

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"

	spb "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protojson"

	"github.com/crosscut-go/crosscut/interceptor"
)

// webClient is what the HTTP clients have in common.
type webClient struct {
	way       *way
	base      string
	authority string
	http      *http.Client
}

// do makes one HTTP request. texts reads the messages of a response, and the
// error it ended with.
func (c *webClient) do(ctx context.Context, x exchange, verb, target, body string, texts func(*answer) *status.Status) *answer {
	r, err := http.NewRequestWithContext(ctx, verb, c.base+target, strings.NewReader(body))
	if err != nil {
		return failed(err)
	}
	r.Host = c.authority
	for key, values := range x.header {
		for _, v := range values {
			r.Header.Add(key, v)
		}
	}
	resp, err := c.http.Do(r)
	if err != nil {
		return failed(cutOff(ctx, err))
	}
	defer func() { _ = resp.Body.Close() }()
	data, err := io.ReadAll(resp.Body)
	a := &answer{httpStatus: resp.StatusCode, header: resp.Header, trailer: resp.Trailer, body: string(data)}
	switch {
	case err != nil:
		a.err = cutOff(ctx, err)
		a.status = failed(a.err).status
		_ = texts(a) // what arrived before
		return a
	case a.httpStatus >= http.StatusBadRequest:
		a.status = statusOf(a.httpStatus, data)
	default:
		a.status = texts(a)
	}
	a.err = a.status.Err()
	return a
}

// cutOff prefers the end of the context to what net/http makes of it.
func cutOff(ctx context.Context, err error) error {
	if end := ctx.Err(); end != nil && !errors.Is(err, end) {
		return errors.Join(end, err)
	}
	return err
}

// statusOf reads the google.rpc.Status in an error body, which in a response
// stream is the field error of a chunk. An error of net/http itself has none; its
// code is that of the HTTP status.
func statusOf(httpStatus int, body []byte) *status.Status {
	var chunk struct{ Error json.RawMessage }
	if json.Unmarshal(body, &chunk) == nil && chunk.Error != nil {
		body = chunk.Error
	}
	var st spb.Status
	if protojson.Unmarshal(body, &st) == nil && st.GetCode() != 0 {
		return status.FromProto(&st)
	}
	var bare struct { // details of a type that is not linked in do not parse
		Code    int32
		Message string
	}
	if json.Unmarshal(body, &bare) == nil && bare.Code != 0 {
		return status.FromProto(&spb.Status{Code: bare.Code, Message: bare.Message})
	}
	return status.New(interceptor.CodeFromHTTPStatus(httpStatus), "")
}

// restClient calls a method of the conformance service through its REST binding.
type restClient struct{ *webClient }

func (c *restClient) call(ctx context.Context, x exchange) *answer {
	verb, target, body := c.request(x)
	texts := unaryTexts
	if c.way.streams() {
		texts = streamTexts
	}
	return c.do(ctx, x, verb, target, body, texts)
}

func (c *restClient) request(x exchange) (verb, target, body string) {
	if x.unknown {
		return http.MethodGet, "/v1/no/such/route", ""
	}
	query := url.Values{"text": {x.text}}
	message, _ := json.Marshal(map[string]string{"text": x.text}) // strings always marshal
	if x.undecodable {
		query = url.Values{"upper_case": {"maybe"}, "count": {"many"}}
		message = []byte("{")
	}
	if x.silent {
		message = nil
	}
	switch {
	case c.way.kind == interceptor.ServerStream:
		return http.MethodGet, "/v1/conformance:stream?" + query.Encode(), ""
	case c.way.kind == interceptor.BidiStream:
		return http.MethodPost, "/v1/conformance:bidi", string(message)
	case c.way.front == restPost:
		return http.MethodPost, "/v1/conformance", string(message)
	default:
		return http.MethodGet, "/v1/conformance/kit?" + query.Encode(), ""
	}
}

func unaryTexts(a *answer) *status.Status {
	var m struct{ Text string }
	if json.Unmarshal([]byte(a.body), &m) == nil {
		a.texts = []string{m.Text}
	}
	return nil
}

// streamTexts reads the chunks of the gateway's response streams: results, and an
// error as the last one.
func streamTexts(a *answer) *status.Status {
	chunks := json.NewDecoder(strings.NewReader(a.body))
	for {
		var chunk struct {
			Result *struct{ Text string }
			Error  json.RawMessage
		}
		if chunks.Decode(&chunk) != nil {
			return nil
		}
		if chunk.Error != nil {
			return statusOf(http.StatusInternalServerError, chunk.Error)
		}
		if chunk.Result != nil {
			a.texts = append(a.texts, chunk.Result.Text)
		}
	}
}

// plainClient calls the plain handler.
type plainClient struct{ *webClient }

func (c *plainClient) call(ctx context.Context, x exchange) *answer {
	target := "/plain"
	if x.unknown {
		target = "/no/such/route"
	}
	return c.do(ctx, x, http.MethodPost, target, x.text, func(a *answer) *status.Status {
		if a.body != "" {
			a.texts = []string{a.body}
		}
		return nil
	})
}
