// Package attempt shares attempts at what many calls need, such as a document of another server: one at a time, for
// all who wait, and not too often.
package attempt

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// Series is a series of attempts at one thing. At most one attempt is under way at a time, which everybody who waits
// shares, and at most one begins per interval, so that strangers who cause attempts cannot cause many.
//
// The exported fields are set before the first use and stay. Try is required; the zero value of each other field is of
// use. The methods are safe for concurrent use. A Series must not be copied after its first use.
type Series struct {
	// What names what is attempted. It begins the text of the error of a Try that panicked or ended its goroutine.
	What string
	// Interval is how much time at least lies between the starts of two attempts, whatever came of the first. With 0,
	// an attempt may begin whenever none is under way.
	Interval time.Duration
	// Try makes one attempt and returns why it failed. It is called with the time at which the attempt began, on a
	// goroutine of its own, and never twice at the same time. It gets no context of a call, because it works for every
	// call that waits: Try has to end by itself.
	Try func(began time.Time) error
	// Failed is called with the error of each attempt that failed, on the goroutine of the attempt, which has ended by
	// then: nobody waits for Failed, and the next attempt may be under way meanwhile. Nil is for nobody to be told.
	Failed func(error)
	// Now is the clock; nil is for time.Now.
	Now func() time.Time

	mu       sync.Mutex
	underWay chan struct{} // closed at the end of the attempt that is under way; nil if there is none
	began    time.Time     // when the latest attempt began
	failure  error         // of the latest attempt that ended
}

// Begin begins an attempt, unless one is under way or the interval since the start of the latest one has not passed. It
// does not wait.
func (s *Series) Begin() { s.begin() }

// Await begins an attempt if [Series.Begin] would, and waits for the one that is under way, if any. The error is that of
// ctx if it ends first: the caller leaves, and the attempt goes on. Otherwise it is nil, and what the attempt brought,
// or [Series.Failure], tells the outcome.
func (s *Series) Await(ctx context.Context) error {
	ended := s.begin()
	if ended == nil {
		return nil
	}
	select {
	case <-ended:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Failure returns why the latest attempt that has ended failed. It is nil if that one succeeded and before there is one.
func (s *Series) Failure() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.failure
}

// begin returns what is closed at the end of the attempt that is under way: one that is already, one that begins now, or
// nil while none may begin.
func (s *Series) begin() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.underWay != nil {
		return s.underWay
	}
	now := s.now()
	if !s.began.IsZero() && now.Sub(s.began) < s.Interval {
		return nil
	}
	s.began = now
	s.underWay = make(chan struct{})
	go s.run(s.underWay, now)
	return s.underWay
}

func (s *Series) now() time.Time {
	if s.Now == nil {
		return time.Now()
	}
	return s.Now()
}

// run makes an attempt and tells those who wait that it has ended.
func (s *Series) run(ended chan<- struct{}, began time.Time) {
	var err error
	returned := false
	defer func() {
		if v := recover(); v != nil { // what another server sends must not end the program
			err = fmt.Errorf("%s panicked: %v", s.What, v)
		} else if !returned {
			err = fmt.Errorf("%s ended its goroutine (runtime.Goexit) instead of returning", s.What)
		}
		s.mu.Lock()
		s.failure, s.underWay = err, nil
		s.mu.Unlock()
		close(ended)
		if err != nil && s.Failed != nil {
			s.Failed(err)
		}
	}()
	err = s.Try(began)
	returned = true
}
