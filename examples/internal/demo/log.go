package demo

import (
	"bytes"
	"context"
	"io"
	"sync"
)

// Log is where an example's logger writes: it keeps the lines for the tour, and
// sends them to somebody once the tour is over. The zero Log is ready to use; its
// methods are safe for concurrent use.
type Log struct {
	mu    sync.Mutex
	lines []string
	wake  chan struct{} // closed at the next line, nil while nobody waits
	out   io.Writer
}

// Write keeps p, which a slog.Handler writes as one line, or hands it on once
// SendTo was called.
func (l *Log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.out != nil {
		return l.out.Write(p)
	}
	l.lines = append(l.lines, string(bytes.TrimSpace(p)))
	if l.wake != nil {
		close(l.wake)
		l.wake = nil
	}
	return len(p), nil
}

// Take returns the lines that nobody has taken yet.
func (l *Log) Take() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	lines := l.lines
	l.lines = nil
	return lines
}

// Next returns the oldest line that nobody has taken yet, and waits for one until
// ctx ends: a client has its answer before the record of the call is written.
func (l *Log) Next(ctx context.Context) (string, error) {
	for {
		line, wake := l.first()
		if wake == nil {
			return line, nil
		}
		select {
		case <-wake:
		case <-ctx.Done():
			return "", context.Cause(ctx)
		}
	}
}

// first returns the oldest line, or what to wait for.
func (l *Log) first() (string, <-chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.lines) > 0 {
		line := l.lines[0]
		l.lines = l.lines[1:]
		return line, nil
	}
	if l.wake == nil {
		l.wake = make(chan struct{})
	}
	return "", l.wake
}

// SendTo writes every later line to out.
func (l *Log) SendTo(out io.Writer) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.out = out
}
