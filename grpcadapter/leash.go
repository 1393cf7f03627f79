package grpcadapter

import (
	"context"

	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
)

// A hook may give the handler's context an end of its own: the expiry of a
// credential, say. The transport does not know of it, so the stream is kept on a
// leash: once that context has ended no message passes, a receiver that waits for
// a silent client is let go, and the stream ends with the cause, whatever the
// handler makes of it.

// leashTo keeps the stream on a leash if ctx ends by more than the transport.
func (f *flow) leashTo(ctx context.Context) {
	if ctx.Done() != f.rpc.ctx.Done() {
		f.leash = ctx
	}
}

// leashed returns why the leash has ended the stream, or nil.
func (f *flow) leashed() error {
	if f.leash == nil || f.leash.Err() == nil {
		return nil
	}
	if cause := context.Cause(f.leash); hasStatus(cause) {
		return cause
	}
	return status.FromContextError(f.leash.Err()).Err()
}

// recvWire reads one message from the transport.
func (f *flow) recvWire(m any) error {
	dst := messageV2(m)
	if f.leash == nil || dst == nil {
		return f.wire.RecvMsg(m)
	}
	// The transport's receive cannot be interrupted. It may go on after the leash
	// has ended, until the handler returns, so it has a message of its own.
	src := dst.ProtoReflect().New().Interface()
	received := make(chan error, 1)
	go func() { received <- f.recvSafely(src) }()
	select {
	case err := <-received:
		if err == nil {
			proto.Reset(dst)
			proto.Merge(dst, src)
		}
		return err
	case <-f.leash.Done():
		return f.stop(f.leashed())
	}
}

// recvSafely survives a codec that panics on a goroutine where nobody recovers.
func (f *flow) recvSafely(m any) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = ops.Panicked(v)
		}
	}()
	return f.wire.RecvMsg(m)
}
