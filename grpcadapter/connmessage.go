package grpcadapter

import (
	"reflect"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
)

// encodedSize returns how many bytes msg takes on the wire, or the error with
// which encoding it fails there. A nil message is an empty one, as for grpc-go.
func encodedSize(msg any) (int, error) {
	if msg == nil {
		return 0, nil
	}
	m := messageV2(msg)
	if m == nil {
		return 0, status.Errorf(codes.Internal, "grpc: error while marshaling: %T is no protobuf message, and calls in process carry no other", msg)
	}
	buf := scratch.Get().(*[]byte)
	out, err := proto.MarshalOptions{}.MarshalAppend((*buf)[:0], m)
	size := len(out)
	if cap(out) <= maxScratch {
		*buf = out[:0]
	}
	scratch.Put(buf)
	if err != nil {
		return 0, status.Errorf(codes.Internal, "grpc: error while marshaling: %v", err)
	}
	return size, nil
}

// deliver copies src into dst, so that neither side sees what the other does
// with its message. src has been encoded, so it is known to be a valid message
// or nil.
func deliver(dst, src any) error {
	to, from := messageV2(dst), messageV2(src)
	if to == nil {
		return status.Errorf(codes.Internal, "grpc: failed to unmarshal the received message: %T is no protobuf message, and calls in process carry no other", dst)
	}
	if from == nil || !from.ProtoReflect().IsValid() {
		proto.Reset(to)
		return nil
	}
	if sameMessage(to, from) {
		proto.Reset(to)
		proto.Merge(to, from)
		return nil
	}
	encoded, err := proto.Marshal(from)
	if err == nil {
		err = proto.Unmarshal(encoded, to)
	}
	if err != nil {
		return status.Errorf(codes.Internal, "grpc: failed to unmarshal the received message: %v", err)
	}
	return nil
}

// sameMessage tells whether one message can be merged into the other. The Go
// type does not tell for dynamic messages, nor the name: descriptors of the same
// name may come from different files.
func sameMessage(a, b proto.Message) bool {
	return reflect.TypeOf(a) == reflect.TypeOf(b) && a.ProtoReflect().Descriptor() == b.ProtoReflect().Descriptor()
}

// clone returns a copy of msg for a receiver that has not asked for it yet. Like
// deliver it takes what has been encoded.
func clone(msg any) any {
	if m := messageV2(msg); m != nil {
		return proto.Clone(m)
	}
	return nil
}

func tooLargeToSend(size, limit int) error {
	return status.Errorf(codes.ResourceExhausted, "trying to send message larger than max (%d vs. %d)", size, limit)
}

func tooLargeToReceive(size, limit int) error {
	return status.Errorf(codes.ResourceExhausted, "grpc: received message larger than max (%d vs. %d)", size, limit)
}
