package gateway

import (
	"io"
	"reflect"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/crosscut-go/crosscut/interceptor"
)

// writeReply writes the reply of a hook where the RPC was not dispatched or had
// failed: through the marshaler, the rewriter and the forward options, as the
// generated code would have done.
func (a *answer) writeReply(msg proto.Message) {
	mux := a.g.mux // not the shadow: what fails here must go through the hooks too
	opts := mux.GetForwardResponseOptions()
	switch a.call.Method().Kind() {
	case interceptor.ServerStream, interceptor.BidiStream:
		ctx := runtime.NewServerMetadataContext(a.ctx, runtime.ServerMetadata{})
		runtime.ForwardResponseStream(ctx, mux, a.marshaler, a.w, a.r, once(msg), opts...)
	default:
		if b := dispatchOf(a.call).binding; b != nil && b.responseBody != "" {
			msg = fieldAsBody(msg, b.responseBody)
		}
		runtime.ForwardResponseMessage(a.ctx, mux, a.marshaler, a.w, a.r, msg, opts...)
	}
}

// once is the receive side of a stream of one message.
func once(msg proto.Message) func() (proto.Message, error) {
	return func() (proto.Message, error) {
		if msg == nil {
			return nil, io.EOF
		}
		m := msg
		msg = nil
		return m, nil
	}
}

// partialBody is a message of which one field is the whole body. The runtime
// recognises it by its method, as generated code for response_body has it.
type partialBody struct {
	proto.Message
	body any
}

// XXX_ResponseBody returns the field.
func (p partialBody) XXX_ResponseBody() any { return p.body } //nolint:revive,staticcheck // the runtime looks for this name

// fieldAsBody reads the field as generated code does, by its getter: marshalers
// get the Go type they would get from there.
func fieldAsBody(msg proto.Message, field string) proto.Message {
	fd := msg.ProtoReflect().Descriptor().Fields().ByName(protoreflect.Name(field))
	if fd == nil {
		return msg
	}
	getter := reflect.ValueOf(msg).MethodByName("Get" + camel(string(fd.Name())))
	if !getter.IsValid() || getter.Type().NumIn() != 0 || getter.Type().NumOut() != 1 {
		return msg
	}
	return partialBody{msg, getter.Call(nil)[0].Interface()}
}
