package decision_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"github.com/crosscut-go/crosscut/internal/decision"
)

// The transports of a site without sockets: requests are handed to the real adapters.
func (s *site) direct(r *rig) []transport {
	record := func(req *http.Request) (*http.Response, error) {
		w := httptest.NewRecorder()
		s.mux.ServeHTTP(w, req)
		return w.Result(), nil
	}
	return []transport{
		{name: "in process", send: s.rpc(r, s.grpc.Conn())},
		{name: "REST", unary: true, tls: true, send: s.rest(r, "", record)},
		{name: "mounted", tls: true, send: s.mounted(r, record)},
		{name: "plain", via: viaRoute, tls: true, send: s.plainly(r, "", record)},
	}
}

// sender makes a call and tells what became of it.
type sender func(m *served, call *decision.Call) answer

// do sends a request and returns the response.
type do func(*http.Request) (*http.Response, error)

// rpc sends over a connection of gRPC.
func (s *site) rpc(r *rig, conn grpc.ClientConnInterface) sender {
	return func(m *served, call *decision.Call) answer {
		id, reached := s.next()
		md := metadata.MD{}
		for key, values := range r.headers(&call.Sent) {
			md[strings.ToLower(key)] = values
		}
		ctx := metadata.NewOutgoingContext(context.Background(), md)
		err := exchange(ctx, conn, m, id, call)
		return answer{decision.Code(status.Code(err)), reached()}
	}
}

func exchange(ctx context.Context, conn grpc.ClientConnInterface, m *served, id string, call *decision.Call) error {
	if m.Kind == "unary" {
		return conn.Invoke(ctx, m.name, numbered(call.Messages[0], id), new(response))
	}
	stream, err := conn.NewStream(ctx, &grpc.StreamDesc{ServerStreams: true, ClientStreams: m.Kind == "bidi stream"}, m.name)
	if err != nil {
		return err
	}
	for _, message := range call.Messages {
		if err := stream.SendMsg(numbered(message, id)); err != nil {
			break // the reason is what RecvMsg says
		}
	}
	_ = stream.CloseSend() // likewise
	for {
		if err := stream.RecvMsg(new(response)); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
	}
}

// rest sends JSON to the binding of a unary method.
func (s *site) rest(r *rig, base string, do do) sender {
	return func(m *served, call *decision.Call) answer {
		id, reached := s.next()
		body, err := protojson.Marshal(numbered(call.Messages[0], id))
		if err != nil {
			panic(err)
		}
		req := r.post(base+m.path, body, call)
		req.Header.Set("Content-Type", "application/json")
		return finish(do, req, reached)
	}
}

// plainly sends to the plain route.
func (s *site) plainly(r *rig, base string, do do) sender {
	return func(m *served, call *decision.Call) answer {
		id, reached := s.next()
		req := r.post(base+m.plainPath(), nil, call)
		req.Header.Set("Case", id)
		return finish(do, req, reached)
	}
}

// post makes the request of a caller. Without a base the request is for a handler, which finds the connection in it.
func (r *rig) post(url string, body []byte, call *decision.Call) *http.Request {
	req, err := http.NewRequestWithContext(context.Background(), http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		panic(err)
	}
	req.Header, req.TLS, req.RemoteAddr = r.headers(&call.Sent), r.connection(&call.Sent), "192.0.2.1:1"
	return req
}

func finish(do do, req *http.Request, reached func() bool) answer {
	resp, err := do(req)
	if err != nil {
		return answer{code: decision.Code(1000)}
	}
	_, _ = io.Copy(io.Discard, resp.Body) // the status is all that counts
	_ = resp.Body.Close()
	return answer{codeOf(resp.StatusCode), reached()}
}

// mounted sends the frames of gRPC to the mux.
func (s *site) mounted(r *rig, do do) sender {
	return func(m *served, call *decision.Call) answer {
		id, reached := s.next()
		var body []byte
		for _, message := range call.Messages {
			encoded, err := proto.Marshal(numbered(message, id))
			if err != nil {
				panic(err)
			}
			body = binary.BigEndian.AppendUint32(append(body, 0), uint32(len(encoded)))
			body = append(body, encoded...)
		}
		req := r.post(m.name, body, call)
		req.ProtoMajor, req.Proto = 2, "HTTP/2.0"
		req.Header.Set("Content-Type", "application/grpc")
		req.Header.Set("Te", "trailers")
		for key, values := range req.Header {
			if strings.HasSuffix(key, "-Bin") {
				req.Header.Set(key, base64.StdEncoding.EncodeToString([]byte(values[0])))
			}
		}
		resp, err := do(req)
		if err != nil {
			return answer{code: decision.Code(1000)}
		}
		_, _ = io.Copy(io.Discard, resp.Body) // the trailer is all that counts
		_ = resp.Body.Close()
		return answer{grpcStatus(resp), reached()}
	}
}

func grpcStatus(resp *http.Response) decision.Code {
	text := resp.Trailer.Get("Grpc-Status")
	if text == "" {
		text = resp.Header.Get("Grpc-Status")
	}
	code, err := strconv.Atoi(text)
	if err != nil {
		code = 1000 + resp.StatusCode
	}
	return decision.Code(code)
}
