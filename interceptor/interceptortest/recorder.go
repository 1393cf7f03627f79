package interceptortest

import (
	"context"
	"slices"
	"sync"

	"github.com/crosscut-go/crosscut/interceptor"
)

// recorder notes what happens to every call of a server, from any goroutine.
type recorder struct {
	mu      sync.Mutex
	calls   map[*interceptor.Call]*record
	order   []*record
	reports []error
}

// record is what happened to one call. What ran outside of any call has a record
// with a nil call, which no correct adapter causes.
type record struct {
	call    *interceptor.Call
	trace   []string
	started bool // the handler has begun
	reached bool // the handler has received the request
}

func newRecorder() *recorder { return &recorder{calls: map[*interceptor.Call]*record{}} }

// of returns the record of a call; r.mu is held.
func (r *recorder) of(call *interceptor.Call) *record {
	found := r.calls[call]
	if found == nil {
		found = &record{call: call}
		r.calls[call] = found
		r.order = append(r.order, found)
	}
	return found
}

// add notes a step of a call.
func (r *recorder) add(call *interceptor.Call, step string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	found := r.of(call)
	found.trace = append(found.trace, step)
}

// start notes that the handler has begun.
func (r *recorder) start(call *interceptor.Call) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.of(call).started = true
}

// handlerStep is the step of the handler in traces.
const handlerStep = "handler"

// reach notes that the handler has received the request.
func (r *recorder) reach(call *interceptor.Call) {
	r.mu.Lock()
	defer r.mu.Unlock()
	found := r.of(call)
	found.reached = true
	found.trace = append(found.trace, handlerStep)
}

// report is the stack's reporter.
func (r *recorder) report(_ context.Context, _ *interceptor.Call, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.reports = append(r.reports, err)
}

// all returns the records in the order in which the calls began, and what was
// reported to the operator.
func (r *recorder) all() ([]*record, []error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.order), slices.Clone(r.reports)
}
