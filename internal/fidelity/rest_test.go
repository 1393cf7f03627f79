package fidelity_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/crosscut-go/crosscut/grpcadapter"
	"github.com/crosscut-go/crosscut/httpadapter/gateway"
	"github.com/crosscut-go/crosscut/interceptor"
	pb "github.com/crosscut-go/crosscut/proto/crosscut/conformance/v1"
)

// restWays compare a stock gateway that dials the server with ours, which calls it
// in process.
var restWays = []way[rpcs]{
	{
		name:    "gateway",
		bare:    func(c *conversation, s rpcs) *site { return serveHTTP(c, stockGateway(c, s)) },
		wrapped: func(c *conversation, s rpcs, in *interceptor.Stack) *site { return serveHTTP(c, ourGateway(c, s, in)) },
	},
	{
		name: "gateway in a Mux", once: true,
		bare: func(c *conversation, s rpcs) *site { return serveHTTP(c, serveMux(stockGateway(c, s))) },
		wrapped: func(c *conversation, s rpcs, in *interceptor.Stack) *site {
			return serveHTTP(c, mux(in, ourGateway(c, s, in)))
		},
	},
}

func stockGateway(c *conversation, s rpcs) http.Handler {
	srv := bareServer(c, s)
	at := serveGRPC(c, srv)
	c.Cleanup(srv.Stop)
	conn, err := grpc.NewClient(at.addr, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		c.Fatal(err)
	}
	c.Cleanup(func() { _ = conn.Close() })
	m := runtime.NewServeMux()
	if err := pb.RegisterConformanceServiceHandlerClient(context.Background(), m, pb.NewConformanceServiceClient(conn)); err != nil {
		c.Fatal(err)
	}
	return m
}

func ourGateway(c *conversation, s rpcs, in *interceptor.Stack) http.Handler {
	srv := grpcadapter.NewServer(in, s.all(c)...)
	register(c, srv)
	c.Cleanup(srv.Stop)
	gw := gateway.New(in, srv.Conn())
	if err := pb.RegisterConformanceServiceHandlerClient(context.Background(), gw.Mux(), pb.NewConformanceServiceClient(srv.Conn())); err != nil {
		c.Fatal(err)
	}
	return gw
}

// rest is one request to a gateway over HTTP/1.1.
func rest(name, method, target, body string, fields ...string) scenario[rpcs] {
	raw := request(method, target, fields...)
	if body != "" {
		raw = request(method, target, append(fields, fmt.Sprintf("Content-Length: %d", len(body)))...) + body
	}
	return scenario[rpcs]{name, rpcs{}, func(c *conversation, s *site) {
		h := dialH1(c, s)
		h.send(raw)
		h.answer(method)
		h.probe()
	}}
}

func restScenarios() []scenario[rpcs] {
	const binding = "/v1/conformance"
	all := []scenario[rpcs]{
		rest("a call by path and query", "GET", binding+"/echo?text=hi&upper_case=true&nested.text=n", ""),
		rest("a call with an encoded path", "GET", binding+"/e%63ho?text=%C3%BC", ""),
		rest("a call by body", "POST", binding, `{"id":"echo","text":"hi","upperCase":true}`, "Content-Type: application/json"),
		rest("a body without a type", "POST", binding, `{"text":"hi"}`),
		rest("a body that is no JSON", "POST", binding, `{"text":`),
		rest("a body with a field nobody knows", "POST", binding, `{"what":1}`),
		rest("a body with a wrong type", "POST", binding, `{"text":1}`),
		rest("no body", "POST", binding, "", "Content-Length: 0"),
		rest("a query nobody knows", "GET", binding+"/echo?what=1", ""),
		rest("a query of a wrong type", "GET", binding+"/echo?upper_case=maybe", ""),
		rest("a path nobody serves", "GET", "/v1/nothing", ""),
		rest("a path with a slash at the end", "GET", binding+"/", ""),
		rest("a path that is not decodable in a segment", "GET", binding+"/a%2Fb?text=x", ""),
		rest("HEAD of a call", "HEAD", binding+"/echo", ""),
		rest("OPTIONS of a call", "OPTIONS", binding+"/echo", ""),
		rest("a verb of another binding", "DELETE", binding+"/echo", ""),
		rest("the method override", "POST", binding+"/echo", "a=b", "Content-Type: application/x-www-form-urlencoded", "X-HTTP-Method-Override: GET"),
		rest("a form for a GET binding", "POST", binding+"/echo", "text=form", "Content-Type: application/x-www-form-urlencoded"),
		rest("metadata of the client's", "GET", binding+"/facts", "", "Grpc-Metadata-X-Own: 1", "Grpc-Metadata-Own-Bin: AAE=", "X-Plain: 1", "Authorization: Bearer t", "Cookie: a=b", "Accept-Language: de"),
		rest("forwarding fields of the client's", "GET", binding+"/facts", "", "X-Forwarded-For: 192.0.2.1", "X-Forwarded-Host: other.test", "Forwarded: for=192.0.2.1"),
		rest("a timeout of the client's", "GET", binding+"/facts", "", "Grpc-Timeout: 1H"),
		rest("a timeout that is none", "GET", binding+"/facts", "", "Grpc-Timeout: soon"),
		rest("trailers for a client that takes them", "GET", binding+"/metadata", "", "TE: trailers"),
		rest("trailers of an error for a client that takes them", "GET", binding+"/header%20and%20error", "", "TE: trailers"),
		rest("a stream", "GET", binding+":stream?text=m&count=3", ""),
		rest("a stream of nothing", "GET", binding+":stream", ""),
		rest("a stream that fails before a message", "GET", binding+":stream?id=error", ""),
		rest("a stream that fails after a message", "GET", binding+":stream?id=messages%20and%20error&count=2", "", "TE: trailers"),
		rest("a stream of metadata", "GET", binding+":stream?id=metadata&count=1", ""),
		rest("a stream both ways", "POST", binding+":bidi", `{"text":"a"}{"text":"b"}`),
		rest("a stream both ways that fails", "POST", binding+":bidi", `{"text":"a"}{"text":"error"}`),
		rest("a stream both ways of no JSON", "POST", binding+":bidi", `{"text":"a"}{`),
		rest("a body of chunks", "POST", binding, "", "Transfer-Encoding: chunked\r\n\r\n0"),
		rest("another accepted type", "GET", binding+"/echo", "", "Accept: text/html"),
		rest("a large answer", "GET", binding+"/large", ""),
	}
	for id := range failures {
		all = append(all, rest("an error over REST: "+id, "GET", binding+"/"+strings.ReplaceAll(id, " ", "%20"), ""))
	}
	for _, id := range []string{"metadata", "header", "send header", "header and error", "trailer and error", "nil", "error and reply", "not UTF-8", "compressor"} {
		all = append(all, rest("a handler over REST: "+id, "GET", binding+"/"+strings.ReplaceAll(id, " ", "%20"), ""))
	}
	return all
}
