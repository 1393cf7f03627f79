package interceptortest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/textproto"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/crosscut-go/crosscut/interceptor"
	pb "github.com/crosscut-go/crosscut/proto/crosscut/conformance/v1"
)

// rpcClient calls a method of the conformance service over gRPC.
type rpcClient struct {
	conn      grpc.ClientConnInterface
	way       *way
	authority string // of calls that have no connection to take it from
}

// texter is a response message of any method.
type texter interface {
	proto.Message
	GetText() string
}

// call makes every kind of call as a stream, which is what they all are on the
// wire, except that unary calls of the in-process connection go through Invoke.
func (c *rpcClient) call(ctx context.Context, x exchange) *answer {
	for key, values := range x.header {
		for _, v := range values {
			ctx = metadata.AppendToOutgoingContext(ctx, key, v)
		}
	}
	method := c.way.method()
	if x.unknown {
		method = servicePath + "NoSuchMethod"
	}
	var opts []grpc.CallOption
	if c.authority != "" {
		opts = append(opts, grpc.CallAuthority(c.authority))
	}
	if x.undecodable {
		opts = append(opts, grpc.ForceCodec(garbage{}))
	}
	if c.way.kind == interceptor.Unary {
		return c.unary(ctx, method, x, opts)
	}
	return c.stream(ctx, method, x, opts)
}

func (c *rpcClient) unary(ctx context.Context, method string, x exchange, opts []grpc.CallOption) *answer {
	var header, trailer metadata.MD
	out := &pb.UnaryResponse{}
	opts = append(opts, grpc.Header(&header), grpc.Trailer(&trailer))
	err := c.conn.Invoke(ctx, method, &pb.UnaryRequest{Text: x.text}, out, opts...)
	a := ended(err, header, trailer)
	if err == nil {
		a.texts = []string{out.GetText()}
	}
	return a
}

func (c *rpcClient) stream(ctx context.Context, method string, x exchange, opts []grpc.CallOption) *answer {
	request, response := c.messages(x.text)
	desc := &grpc.StreamDesc{ClientStreams: c.way.receivesMany(), ServerStreams: c.way.streams()}
	s, err := c.conn.NewStream(ctx, desc, method, opts...)
	if err != nil {
		return ended(err, nil, nil)
	}
	if !x.silent {
		_ = s.SendMsg(request) // why it fails is what RecvMsg returns
	}
	_ = s.CloseSend()
	var texts []string
	for {
		m := proto.Clone(response).(texter)
		if err = s.RecvMsg(m); err != nil {
			break
		}
		texts = append(texts, m.GetText())
		if !c.way.streams() {
			break
		}
	}
	if errors.Is(err, io.EOF) {
		err = nil
	}
	header, _ := s.Header() // there is none without a response
	a := ended(err, header, s.Trailer())
	a.texts = texts
	return a
}

func (c *rpcClient) messages(text string) (request proto.Message, response texter) {
	switch c.way.kind {
	case interceptor.ClientStream:
		return &pb.ClientStreamRequest{Text: text}, &pb.ClientStreamResponse{}
	case interceptor.ServerStream:
		return &pb.ServerStreamRequest{Text: text}, &pb.ServerStreamResponse{}
	default:
		return &pb.BidiStreamRequest{Text: text}, &pb.BidiStreamResponse{}
	}
}

func ended(err error, header, trailer metadata.MD) *answer {
	return &answer{status: status.Convert(err), err: err, header: canonical(header), trailer: canonical(trailer)}
}

// canonical spells the keys of metadata as net/http does, so that one look-up
// works on every transport.
func canonical(md metadata.MD) http.Header {
	h := make(http.Header, len(md))
	for key, values := range md {
		key = textproto.CanonicalMIMEHeaderKey(key)
		h[key] = append(h[key], values...)
	}
	return h
}

// garbage is a codec that sends what no proto message decodes from.
type garbage struct{}

// Name is that of the standard codec, so that the server decodes with it.
func (garbage) Name() string { return "proto" }

// Marshal returns a field of wire type 7, which does not exist.
func (garbage) Marshal(any) ([]byte, error) { return []byte{0x0f}, nil }

// Unmarshal decodes as the standard codec does.
func (garbage) Unmarshal(data []byte, v any) error {
	m, ok := v.(proto.Message)
	if !ok {
		return fmt.Errorf("decoding a %T", v)
	}
	return proto.Unmarshal(data, m)
}
