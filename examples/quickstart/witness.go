package main

import (
	"context"
	"fmt"
	"path"
	"sync"

	"google.golang.org/protobuf/proto"

	"github.com/crosscut-go/crosscut/interceptor"
)

// tourHeader names the column that a call of the tour belongs to. Calls without
// it are not watched.
const tourHeader = "x-tour"

// witnesses collects what the two witness hooks saw of each call of the tour.
type witnesses struct {
	mu   sync.Mutex
	seen map[string]*sighting
}

// sighting is one call as the hooks saw it: one line per phase, and done is
// closed when the outermost hook has seen the outcome.
type sighting struct {
	events []event
	done   chan struct{}
}

type event struct{ where, what string }

func newWitnesses() *witnesses { return &witnesses{seen: map[string]*sighting{}} }

// expect prepares for a call with the label and returns what will be seen of it.
func (w *witnesses) expect(label string) *sighting {
	s := &sighting{done: make(chan struct{})}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.seen[label] = s
	return s
}

func (w *witnesses) note(call *interceptor.Call, where, what string) *sighting {
	w.mu.Lock()
	defer w.mu.Unlock()
	s := w.seen[call.RequestHeader().Get(tourHeader)]
	if s != nil {
		s.events = append(s.events, event{where, what})
	}
	return s
}

// hook returns a hook that notes every phase it takes part in. This is all a hook
// needs to be: functions for the phases it is about.
func (w *witnesses) hook(name string) interceptor.Hook {
	at := func(phase string) string { return name + " " + phase }
	return interceptor.FromFuncs(name, interceptor.Funcs{
		BeforeRequest: func(ctx context.Context, call *interceptor.Call) (context.Context, error) {
			w.note(call, at("BeforeRequest"), call.Transport().String())
			return ctx, nil
		},
		BeforeHandler: func(ctx context.Context, call *interceptor.Call, m *interceptor.Method) (context.Context, error) {
			w.note(call, at("BeforeHandler"), shortName(m))
			return ctx, nil
		},
		OnReceive: func(_ context.Context, call *interceptor.Call, msg any) error {
			w.note(call, at("OnReceive"), messageName(msg))
			return nil
		},
		OnSend: func(_ context.Context, call *interceptor.Call, msg any) error {
			w.note(call, at("OnSend"), messageName(msg))
			return nil
		},
		OnError: func(_ context.Context, call *interceptor.Call, err error) error {
			w.note(call, at("OnError"), interceptor.StatusOf(err).Code().String())
			return err
		},
		BeforeResponse: func(_ context.Context, call *interceptor.Call) error {
			w.note(call, at("BeforeResponse"), "headers may still be set")
			return nil
		},
		AfterResponse: func(_ context.Context, call *interceptor.Call) {
			s := w.note(call, at("AfterResponse"), outcome(call))
			if s != nil && name == "outermost" {
				close(s.done)
			}
		},
	})
}

func shortName(m *interceptor.Method) string {
	if m.Descriptor() == nil {
		return m.Name()
	}
	return string(m.Descriptor().Parent().Name()) + "/" + path.Base(m.Name())
}

func messageName(msg any) string {
	if m, ok := msg.(proto.Message); ok {
		return string(m.ProtoReflect().Descriptor().Name())
	}
	return fmt.Sprintf("%T", msg)
}

func outcome(call *interceptor.Call) string {
	text := call.Code().String()
	if call.Method().Descriptor() != nil {
		text += fmt.Sprintf(", %d in, %d out", call.Received().Messages, call.Sent().Messages)
	}
	if s := call.HTTPStatus(); s != 0 {
		text += fmt.Sprintf(", HTTP %d", s)
	}
	return text
}
