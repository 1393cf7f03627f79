package fidelity_test

import (
	"crypto/sha256"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// patience ends what should have ended by itself. No test passes by waiting for it.
const patience = 10 * time.Second

// transcript is what one side saw of a conversation, a line per fact. It is safe
// for concurrent use: handlers note in it, too.
type transcript struct {
	mu    sync.Mutex
	lines []string
}

func (l *transcript) add(format string, args ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lines = append(l.lines, fmt.Sprintf(format, args...))
}

func (l *transcript) all() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.lines)
}

// conversation is one case held with one server: what the client saw, and what
// the handler noted of what it was given.
type conversation struct {
	*testing.T
	client  transcript
	handler transcript
	parts   struct { // what is noted of one call, apart from all others
		sync.Mutex
		all []*transcript
	}
	marks sync.Map // string to chan struct{}
	conns []net.Conn
	rpcs  sync.WaitGroup // that run
}

// dial opens a connection that ends with the conversation.
func (c *conversation) dial(s *site) net.Conn {
	c.Helper()
	conn, err := net.Dial("tcp", s.addr)
	if err != nil {
		c.Fatal(err)
	}
	_ = conn.SetDeadline(time.Now().Add(patience))
	c.conns = append(c.conns, conn)
	return conn
}

// hangUp closes the connections of the client.
func (c *conversation) hangUp() {
	for _, conn := range c.conns {
		_ = conn.Close()
	}
}

// note records what a handler saw.
func (c *conversation) note(format string, args ...any) { c.handler.add(format, args...) }

// newPart begins a part of the notes that keeps its order whatever else is noted.
func (c *conversation) newPart() *transcript {
	c.parts.Lock()
	defer c.parts.Unlock()
	part := new(transcript)
	c.parts.all = append(c.parts.all, part)
	return part
}

// saw records what the client saw.
func (c *conversation) saw(format string, args ...any) { c.client.add(format, args...) }

// reach tells the other side that this one has come to a point.
func (c *conversation) reach(point string) { close(c.mark(point)) }

// wait waits until the other side has come to a point.
func (c *conversation) wait(point string) {
	select {
	case <-c.mark(point):
	case <-time.After(patience):
		c.Errorf("nobody came to the point %q", point)
	}
}

func (c *conversation) mark(point string) chan struct{} {
	ch, _ := c.marks.LoadOrStore(point, make(chan struct{}))
	return ch.(chan struct{})
}

// lines is the whole conversation.
func (c *conversation) lines() []string {
	var all []string
	for _, line := range c.client.all() {
		all = append(all, "client: "+line)
	}
	c.parts.Lock()
	defer c.parts.Unlock()
	for _, part := range append([]*transcript{&c.handler}, c.parts.all...) {
		for _, line := range part.all() {
			all = append(all, "handler: "+line)
		}
	}
	return all
}

// show prints bytes so that a reader sees what they are, or that they are equal.
func show(b []byte) string {
	if len(b) <= 512 {
		return fmt.Sprintf("%q", b)
	}
	return fmt.Sprintf("%d bytes %x", len(b), sha256.Sum256(b))
}

// difference lists what only one of the two has to say, in order and as little
// of it as there can be; it is empty where they are equal.
func difference(bare, wrapped []string) string {
	if slices.Equal(bare, wrapped) {
		return ""
	}
	common := commonLengths(bare, wrapped)
	var out strings.Builder
	i, j := 0, 0
	for i < len(bare) || j < len(wrapped) {
		switch {
		case i < len(bare) && j < len(wrapped) && bare[i] == wrapped[j]:
			i, j = i+1, j+1
		case j == len(wrapped) || i < len(bare) && common[i+1][j] >= common[i][j+1]:
			fmt.Fprintf(&out, "\n\t- %s", bare[i])
			i++
		default:
			fmt.Fprintf(&out, "\n\t+ %s", wrapped[j])
			j++
		}
	}
	return out.String()
}

// commonLengths tells, for the rest of each from every position, how many lines
// both have in one order.
func commonLengths(a, b []string) [][]int {
	common := make([][]int, len(a)+1)
	for i := range common {
		common[i] = make([]int, len(b)+1)
	}
	for i := len(a) - 1; i >= 0; i-- {
		for j := len(b) - 1; j >= 0; j-- {
			if a[i] == b[j] {
				common[i][j] = common[i+1][j+1] + 1
			} else {
				common[i][j] = max(common[i+1][j], common[i][j+1])
			}
		}
	}
	return common
}
