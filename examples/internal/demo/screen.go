package demo

import (
	"context"
	"fmt"
	"strings"
	"sync"
)

// Screen stands for the terminal in the tests of the examples: what was written can
// be read and waited for. The zero Screen is ready to use; its methods are safe for
// concurrent use.
type Screen struct {
	mu      sync.Mutex
	text    strings.Builder
	changed chan struct{} // closed at the next write, nil while nobody waits
}

// Write keeps p.
func (s *Screen) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.changed != nil {
		close(s.changed)
		s.changed = nil
	}
	return s.text.Write(p)
}

// String returns everything that was written.
func (s *Screen) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

// Wait waits until text has been written, or until ctx ends.
func (s *Screen) Wait(ctx context.Context, text string) error {
	for {
		found, changed := s.find(text)
		if found {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return fmt.Errorf("%q was not written: %w", text, context.Cause(ctx))
		}
	}
}

func (s *Screen) find(text string) (bool, <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.changed == nil {
		s.changed = make(chan struct{})
	}
	return strings.Contains(s.text.String(), text), s.changed
}
