package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"

	"google.golang.org/grpc/codes"
)

// httpShape is an HTTP request, and how to tell that its answer is whole.
type httpShape struct {
	name         string
	method, path string
	body         string
	parts        string // what an answer contains once for each message …
	count        int    // … of this many
}

var restShapes = []httpShape{
	{"GET", http.MethodGet, "/v1/conformance/id?text=" + "the+text+of+a+message", "", text, 1},
	{"POST", http.MethodPost, "/v1/conformance", `{"text":"` + text + `"}`, text, 1},
	{"server stream", http.MethodGet, "/v1/conformance:stream?text=the+text+of+a+message&count=" + strconv.Itoa(messages), "", text, messages},
	{"bidi stream", http.MethodPost, "/v1/conformance:bidi", strings.Repeat(`{"text":"`+text+`"}`+"\n", messages), text, messages},
}

var plainShapes = []httpShape{
	{"POST", http.MethodPost, "/plain", text, text, 1},
	{"events", http.MethodGet, "/events", "", "data: " + text, messages},
}

// requestBy makes calls of the shape with an HTTP client.
func requestBy(client func(*site) *http.Client, shape httpShape) func(context.Context, *site, call) outcome {
	return func(ctx context.Context, s *site, c call) outcome {
		r, err := shape.request(ctx, s.base, c)
		if err != nil {
			return outcome{code: codes.Unknown}
		}
		resp, err := client(s).Do(r)
		if err != nil {
			return outcome{code: codeOfContext(err)}
		}
		body, err := io.ReadAll(resp.Body)
		_ = resp.Body.Close() // it has been read
		if err != nil {
			code := codeOfContext(err)
			return outcome{code, resp.StatusCode, code == codes.Unknown}
		}
		return outcome{code: shape.codeOf(resp.StatusCode, body), http: resp.StatusCode}
	}
}

func (h httpShape) request(ctx context.Context, base string, c call) (*http.Request, error) {
	r, err := http.NewRequestWithContext(ctx, h.method, base+h.path, strings.NewReader(h.body))
	if err != nil {
		return nil, err
	}
	r.Header.Set(idHeader, strconv.Itoa(c.id))
	r.Header.Set(actHeader, c.act.header())
	r.Header.Set("Authorization", c.credential())
	if c.act == expire {
		r.Header.Set("Grpc-Timeout", fmt.Sprintf("%dm", expiry.Milliseconds()))
	}
	return r, nil
}

// codeOf returns the code that an answer tells: in its body, or, for a stream that
// failed, in its last line.
func (h httpShape) codeOf(httpStatus int, body []byte) codes.Code {
	var failure struct {
		Code  codes.Code
		Error struct{ Code codes.Code }
	}
	lines := bytes.Split(bytes.TrimSpace(body), []byte("\n"))
	last := lines[len(lines)-1]
	err := json.Unmarshal(last, &failure)
	switch {
	case failure.Error.Code != codes.OK: // a stream's, also when nothing preceded it
		return failure.Error.Code
	case httpStatus >= http.StatusBadRequest && err == nil:
		return failure.Code
	case httpStatus >= http.StatusBadRequest:
		return codes.Unknown
	case bytes.Count(body, []byte(h.parts)) != h.count:
		return codes.DataLoss
	default:
		return codes.OK
	}
}
