package grpcadapter

import (
	"context"
	"reflect"
	"sync"

	"google.golang.org/grpc"
	"google.golang.org/grpc/encoding"
	grpcproto "google.golang.org/grpc/encoding/proto"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/protoadapt"
)

// Encode fails where grpc-go would fail to encode msg after the handler has
// returned, so that hooks learn of it. The bytes are thrown away: handing them
// to grpc-go as a grpc.PreparedMsg would freeze the compressor before the
// handler's choice and change what stats handlers see.
func (r *rpc) Encode(msg any) error {
	switch s := r.wire.(type) {
	case encoder:
		err := s.encode(msg)
		if known, ok := s.(sizer); ok && r.unary != nil {
			r.unary.size = known.sentSize()
		}
		return err
	case interface{ SendCompress() string }: // a stream of grpc-go's own
		return r.tryEncode(s, msg)
	}
	return nil
}

func (r *rpc) tryEncode(stream any, msg any) error {
	if prepared, ok := msg.(*grpc.PreparedMsg); ok && prepared != nil {
		return nil // already encoded
	}
	if m := messageV2(msg); m != nil && !r.core.ownCodec && isProto(stream) {
		if size, ok := trySize(m); ok {
			if r.unary != nil {
				r.unary.size = size
			}
			return nil
		}
	}
	// Any other codec, and the exact error where protobuf fails.
	return new(grpc.PreparedMsg).Encode(contextStream{ctx: r.ctx}, msg)
}

// isProto tells whether grpc-go will use its protobuf codec on the stream.
func isProto(stream any) bool {
	s, ok := stream.(interface{ ContentSubtype() string })
	if !ok {
		return false
	}
	subtype := s.ContentSubtype()
	return (subtype == "" || subtype == grpcproto.Name) && stockProto()
}

// stockProto tells whether the codec registered as "proto" is grpc-go's; codecs
// are registered from init functions only.
var stockProto = sync.OnceValue(func() bool {
	codec := encoding.GetCodecV2(grpcproto.Name)
	if codec == nil {
		return false
	}
	t := reflect.TypeOf(codec)
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	return t.PkgPath() == "google.golang.org/grpc/encoding/proto"
})

// maxScratch is the largest buffer that is kept for the next message.
const maxScratch = 1 << 20

var scratch = sync.Pool{New: func() any { return new([]byte) }}

// trySize encodes m into a buffer that nobody else sees and returns its size.
func trySize(m proto.Message) (size int, ok bool) {
	buf := scratch.Get().(*[]byte)
	out, err := proto.MarshalOptions{}.MarshalAppend((*buf)[:0], m)
	if cap(out) <= maxScratch {
		*buf = out[:0]
	}
	scratch.Put(buf)
	return len(out), err == nil
}

func messageV2(msg any) proto.Message {
	switch m := msg.(type) {
	case proto.Message:
		return m
	case protoadapt.MessageV1:
		return protoadapt.MessageV2Of(m)
	}
	return nil
}

// contextStream is all that PreparedMsg.Encode needs of a stream: the context
// with the codec that grpc-go chose.
type contextStream struct{ ctx context.Context }

func (s contextStream) Context() context.Context { return s.ctx }
func (contextStream) SendMsg(any) error          { return errNoTransport }
func (contextStream) RecvMsg(any) error          { return errNoTransport }
