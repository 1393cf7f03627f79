package grpcadapter

import (
	"fmt"
	"reflect"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
)

// encodedSize returns how many bytes msg would take on the wire, or the error
// with which encoding it fails there.
func encodedSize(msg any) (int, error) {
	m := messageV2(msg)
	if m == nil {
		if msg == nil {
			return 0, nil // an empty message, as on the wire
		}
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
// with its message.
func deliver(dst, src any) error {
	to := messageV2(dst)
	if to == nil {
		return status.Errorf(codes.Internal, "grpc: failed to unmarshal the received message: %T is no protobuf message", dst)
	}
	from := messageV2(src)
	if from == nil || !from.ProtoReflect().IsValid() {
		proto.Reset(to)
		return nil
	}
	if reflect.TypeOf(to) == reflect.TypeOf(from) {
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

// clone returns a copy of msg for a receiver that has not asked for it yet.
func clone(msg any) (any, error) {
	m := messageV2(msg)
	if m == nil {
		return nil, fmt.Errorf("%T is no protobuf message", msg)
	}
	return proto.Clone(m), nil
}

func tooLarge(what string, size, limit int) error {
	return status.Errorf(codes.ResourceExhausted, "%s message larger than max (%d vs. %d)", what, size, limit)
}
