package interceptor

import (
	"math"
	"sync/atomic"
)

// Count is how much of a call went one way.
type Count struct {
	Messages int64 // messages; 0 on plain routes
	Bytes    int64 // body bytes, or -1 where the transport does not know them for free
}

// Received returns what the handler received so far.
func (c *Call) Received() Count {
	if c == nil {
		return Count{}
	}
	return c.count.received.read()
}

// Sent returns what was sent so far.
func (c *Call) Sent() Count {
	if c == nil {
		return Count{}
	}
	return c.count.sent.read()
}

type counters struct{ received, sent counter }

// counter adds up one direction. Bytes that are below 0 are unknown, and stay so
// whatever is added.
type counter struct{ messages, bytes atomic.Int64 }

const unknownBytes = math.MinInt64

func (c *counter) add(messages, bytes int) {
	if messages != 0 {
		c.messages.Add(int64(messages))
	}
	if bytes < 0 {
		c.bytes.Store(unknownBytes)
	} else if bytes > 0 {
		c.bytes.Add(int64(bytes))
	}
}

func (c *counter) read() Count {
	return Count{Messages: c.messages.Load(), Bytes: max(c.bytes.Load(), -1)}
}
