package grpcadapter

import "sync"

// window is how many bytes a sender may be ahead of the receiver, the default
// window of HTTP/2 (RFC 9113 section 6.9.2). Two sides that both send before
// they listen get as far as over the wire.
const window = 64<<10 - 1

// frameHeader is what the wire adds to every message.
const frameHeader = 5

// message is one message on its way: a copy that belongs to nobody, nil for an
// empty one, and its encoded size.
type message struct {
	msg  any
	size int
}

// queue carries the messages of one direction of a stream, in order. It has one
// sender and one receiver, which may be different goroutines over time.
type queue struct {
	handOver bool // a sender waits until its message was taken; the first, until the receiver asks for more

	added   chan struct{} // holds a token when there may be a message
	removed chan struct{} // holds a token when there may be room

	mu       sync.Mutex
	messages []message
	bytes    int
	taken    bool // the receiver has taken a message
	returned bool // and asked for another
}

func newQueue(handOver bool) *queue {
	return &queue{handOver: handOver, added: make(chan struct{}, 1), removed: make(chan struct{}, 1)}
}

// put sends m. It blocks while the receiver is too far behind and returns false
// if one of the channels is closed before m was sent.
func (q *queue) put(m message, done, alsoDone <-chan struct{}) bool {
	for !q.add(m) {
		if !q.await(done, alsoDone) {
			return false
		}
	}
	notify(q.added)
	for q.handOver && !q.idle() {
		if !q.await(done, alsoDone) {
			return !q.withdraw()
		}
	}
	return true
}

// await waits for the receiver; false means that there is none any more.
func (q *queue) await(done, alsoDone <-chan struct{}) bool {
	select {
	case <-q.removed:
		return true
	case <-done:
	case <-alsoDone:
	}
	return false
}

// add appends m unless the window is full. A message larger than the window
// passes alone.
func (q *queue) add(m message) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	size := m.size + frameHeader
	if len(q.messages) > 0 && q.bytes+size > window {
		return false
	}
	q.messages = append(q.messages, m)
	q.bytes += size
	return true
}

// idle tells whether the receiver has taken all, and is done with the first.
func (q *queue) idle() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.messages) == 0 && q.returned
}

// ask is called by the receiver before it waits for a message: it is done with
// the one before.
func (q *queue) ask() {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.taken && !q.returned {
		q.returned = true
		notify(q.removed)
	}
}

// withdraw takes back a message that nobody has taken; it tells whether there
// was one.
func (q *queue) withdraw() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	there := len(q.messages) > 0
	q.messages, q.bytes = nil, 0
	return there
}

// take removes the first message, if there is one.
func (q *queue) take() (message, bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.messages) == 0 {
		return message{}, false
	}
	m := q.messages[0]
	q.messages[0] = message{} // for the garbage collector
	if q.messages = q.messages[1:]; len(q.messages) == 0 {
		q.messages = nil
	}
	q.bytes -= m.size + frameHeader
	q.taken = true
	notify(q.removed)
	return m, true
}

// notify leaves a token in c unless there is one.
func notify(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// closed tells whether c is closed.
func closed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}
