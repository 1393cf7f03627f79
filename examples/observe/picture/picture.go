// Package picture draws traces as an SVG: calls beside each other, each with its
// spans as a waterfall on one scale of time, and below them the log record that
// carries the ids of one of these spans. It knows nothing of where they come from.
package picture

import (
	"slices"
	"time"
)

// Call is what was recorded of one call.
type Call struct {
	Title   string // such as REST
	Outcome string // what the client asked for and got
	TraceID string
	Spans   []Span // each before those it caused
	Record  []Field
}

// Span is one bar of the waterfall.
type Span struct {
	Service, Kind, Name string
	ID                  string
	Depth               int           // how many spans of the trace it is below
	Start               time.Duration // since the call began
	Duration            time.Duration
	Attributes          []Field // the few that are to be shown
}

// Field is an attribute of a span, or a key of a log record with its value in JSON.
type Field struct {
	Key, Value string
	Measured   bool // the value is another one in every run
}

// ours tells whether a span is made by package telemetry, which is for servers.
func (s Span) ours() bool { return s.Kind == "SERVER" }

// logged tells whether the log record of the call carries the id of this span.
func (c Call) logged(s Span) bool {
	return slices.ContainsFunc(c.Record, func(f Field) bool { return f.Value == quoted(s.ID) })
}

// quoted returns an id as JSON has it.
func quoted(id string) string { return `"` + id + `"` }

// scale returns how much time the width of a waterfall stands for: the least number
// that has round quarters and holds all calls.
func scale(calls []Call) time.Duration {
	longest := time.Microsecond
	for _, c := range calls {
		for _, s := range c.Spans {
			longest = max(longest, s.Start+s.Duration)
		}
	}
	for size := time.Microsecond; ; size *= 10 {
		for _, times := range []float64{1, 1.2, 1.6, 2, 2.4, 3.2, 4, 6, 8} {
			if all := time.Duration(times * float64(size)); longest <= all {
				return all
			}
		}
	}
}

// align pairs the keys of two records, each in its own order: a key that only one
// of them has stands beside nothing.
func align(left, right []Field) (pairs [][2]Field) {
	for len(left) > 0 || len(right) > 0 {
		switch {
		case len(left) > 0 && len(right) > 0 && left[0].Key == right[0].Key:
			pairs = append(pairs, [2]Field{left[0], right[0]})
			left, right = left[1:], right[1:]
		case len(left) > 0 && (len(right) == 0 || !has(right, left[0].Key)):
			pairs = append(pairs, [2]Field{left[0]})
			left = left[1:]
		case len(right) > 0:
			pairs = append(pairs, [2]Field{1: right[0]})
			right = right[1:]
		}
	}
	return pairs
}

func has(fields []Field, key string) bool {
	return slices.ContainsFunc(fields, func(f Field) bool { return f.Key == key })
}
