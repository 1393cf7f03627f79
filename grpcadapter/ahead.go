package grpcadapter

import (
	"errors"
	"fmt"
	"io"
	"reflect"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/dynamicpb"

	"github.com/crosscut-go/crosscut/interceptor"
)

// awaitMessage holds a sender back until a hook that called AwaitMessage has
// agreed to the first request message. If no receiver has read that message, it
// is read here and kept for the handler: a handler that greets first would
// otherwise wait for ever.
func (f *flow) awaitMessage() error {
	if !ops.Waiting(f.rpc.call) {
		return nil
	}
	f.recvMu.Lock() // waits for a receiver that is reading it just now
	defer f.recvMu.Unlock()
	if err := f.mayPass(); err != nil {
		return err
	}
	if !ops.Waiting(f.rpc.call) {
		return nil
	}
	m, err := f.newRequest()
	if err != nil {
		return f.stop(err)
	}
	switch err := f.receive(m); {
	case errors.Is(err, io.EOF):
		return f.stop(interceptor.NewError(codes.InvalidArgument, "a request message is required"))
	case err != nil:
		return err
	}
	f.ahead = m
	return nil
}

// newRequest makes an empty message of the method's input type.
func (f *flow) newRequest() (proto.Message, error) {
	method := f.rpc.target.method
	desc := method.Descriptor()
	if desc == nil {
		return nil, ops.Misuse(fmt.Sprintf("%s has no descriptor, so its first message cannot be read before the handler asks for it; scope the hook that calls AwaitMessage with When to methods that have one", method.Name()))
	}
	if t, err := protoregistry.GlobalTypes.FindMessageByName(desc.Input().FullName()); err == nil {
		return t.New().Interface(), nil
	}
	return dynamicpb.NewMessage(desc.Input()), nil
}

// copyMessage gives the handler its own copy of a message that was read ahead.
func copyMessage(dst, src any) error {
	to, from := messageV2(dst), messageV2(src)
	if to == nil || from == nil {
		return ops.Misuse(fmt.Sprintf("a message that was read ahead for AwaitMessage cannot be delivered as a %T", dst))
	}
	if reflect.TypeOf(to) == reflect.TypeOf(from) {
		proto.Reset(to)
		proto.Merge(to, from)
		return nil
	}
	// Different Go types of one message, as with dynamicpb.
	encoded, err := proto.Marshal(from)
	if err == nil {
		err = proto.Unmarshal(encoded, to)
	}
	if err != nil {
		return ops.Misuse(fmt.Sprintf("a message that was read ahead for AwaitMessage cannot be delivered as a %T: %v", dst, err))
	}
	return nil
}
