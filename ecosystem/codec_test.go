package ecosystem_test

import (
	"fmt"
	"sync/atomic"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/encoding"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
)

// jsonCodec encodes messages as JSON. It counts what it did.
type jsonCodec struct {
	name             string
	encoded, decoded atomic.Int64
}

func (c *jsonCodec) Name() string { return c.name }

func (c *jsonCodec) Marshal(v any) ([]byte, error) {
	m, ok := v.(proto.Message)
	if !ok {
		return nil, fmt.Errorf("%T is no message", v)
	}
	c.encoded.Add(1)
	return protojson.Marshal(m)
}

func (c *jsonCodec) Unmarshal(data []byte, v any) error {
	m, ok := v.(proto.Message)
	if !ok {
		return fmt.Errorf("%T is no message", v)
	}
	c.decoded.Add(1)
	return protojson.Unmarshal(data, m)
}

// registered is the codec of the content subtype of its name.
var registered = &jsonCodec{name: "ecosystem-json"}

func init() { encoding.RegisterCodec(registered) }

// A codec of the user's carries every message over the wire, whether the server
// is told to use it or the client names it. In process nothing is encoded by it.
func TestCodecs(t *testing.T) {
	t.Parallel()
	for _, w := range ways {
		t.Run(w.name+"/forced on the server", func(t *testing.T) {
			t.Parallel()
			codec, l := &jsonCodec{name: "forced"}, newLedger()
			s := service{opts: []grpc.ServerOption{grpc.ForceServerCodec(codec)}}
			conn := w.start(t, interopService(l.stack(t), s))
			l.balance(t, traffic(t, conn, grpc.ForceCodec(&jsonCodec{name: "forced"})))
			if used := codec.decoded.Load() > 0 && codec.encoded.Load() > 0; used != (w.name != "Conn") {
				t.Errorf("the codec encoded %d and decoded %d messages", codec.encoded.Load(), codec.decoded.Load())
			}
		})
		t.Run(w.name+"/named by the client", func(t *testing.T) {
			t.Parallel()
			l := newLedger()
			conn := w.start(t, interopService(l.stack(t), service{}))
			before := registered.encoded.Load()
			l.balance(t, traffic(t, conn, grpc.CallContentSubtype(registered.name)))
			if w.name != "Conn" && registered.encoded.Load() == before {
				t.Error("the codec encoded nothing")
			}
		})
	}
}
