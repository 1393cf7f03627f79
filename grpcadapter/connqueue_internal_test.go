package grpcadapter

import (
	"runtime"
	"testing"
)

// TestQueue checks order and flow control.
func TestQueue(t *testing.T) {
	t.Parallel()
	gone := make(chan struct{})
	close(gone)
	q := newQueue(false)
	const size = window/4 - frameHeader
	for i := range 4 {
		if !q.put(message{i, size}, nil, nil) {
			t.Fatalf("message %d found no room", i)
		}
	}
	if q.put(message{4, size}, gone, nil) || q.put(message{4, 0}, nil, gone) {
		t.Error("a full queue took a message")
	}
	for i := range 4 {
		if m, ok := q.take(); !ok || m.msg != i {
			t.Fatalf("took %v %v, want %d", m.msg, ok, i)
		}
	}
	if _, ok := q.take(); ok {
		t.Error("took a message from an empty queue")
	}
	if !q.put(message{"large", 10 * window}, gone, nil) {
		t.Error("a message larger than the window did not pass alone")
	}
	if q.put(message{"next", 0}, gone, nil) {
		t.Error("a message passed behind one larger than the window")
	}
}

// TestQueueHandOver checks that a sender that hands over waits until its message
// was taken, at first until the receiver asks for more, and takes back one that
// nobody will take.
func TestQueueHandOver(t *testing.T) {
	t.Parallel()
	q, gone, sent := newQueue(true), make(chan struct{}), make(chan bool)
	q.ask()
	go func() { sent <- q.put(message{"taken", 1}, gone, nil) }()
	<-q.added
	if m, ok := q.take(); !ok || m.msg != "taken" {
		t.Fatalf("took %v %v", m.msg, ok)
	}
	for range 100 {
		runtime.Gosched()
	}
	select {
	case <-sent:
		t.Fatal("put returned before the receiver was done with the message")
	default:
	}
	q.ask()
	if !<-sent {
		t.Error("a message that was taken counts as lost")
	}
	go func() { sent <- q.put(message{"lost", 1}, gone, nil) }()
	<-q.added
	close(gone)
	if <-sent {
		t.Error("a message that nobody took counts as sent")
	}
	if _, ok := q.take(); ok {
		t.Error("a lost message can be taken")
	}
}
