package logging

import (
	"fmt"
	"log/slog"
	"slices"
	"time"

	"google.golang.org/grpc/codes"

	"github.com/crosscut-go/crosscut/interceptor"
)

// Option changes what [New] does.
type Option interface{ apply(*hook) }

type option func(*hook)

func (f option) apply(h *hook) { f(h) }

// Keys adds the values of keys to the record of every call that has them, under
// the keys' names and in this order. Strings and errors are cut at 1 KiB. Repeating the
// option adds more keys; it panics for a nil key and for one that is listed
// already. It has no effect on the records of [Payloads].
func Keys(keys ...interceptor.AnyKey) Option {
	return option(func(h *hook) {
		for i, k := range keys {
			if k == nil {
				panic(fmt.Sprintf("logging.Keys: key %d is nil; declare keys as package variables, made by interceptor.NewKey", i+1))
			}
			for _, listed := range h.keys {
				if listed == k {
					panic(fmt.Sprintf("logging.Keys: the key %q is listed twice; list it once", k.Name()))
				}
			}
			h.keys = append(h.keys, k)
		}
	})
}

// Level chooses the level of a call's record with level instead of
// [DefaultLevel], for codes without a [CodeLevel]. It is called in AfterResponse, when the outcome is final, by
// many goroutines at once. The last one given counts; nil is the default.
func Level(level func(call *interceptor.Call) slog.Level) Option {
	return option(func(h *hook) {
		if level == nil {
			level = DefaultLevel
		}
		h.level = level
	})
}

// CodeLevel gives the records of calls that end with one of the codes this level,
// whatever [Level] says; codes.OK stands for successes. Repeating the option adds
// codes, and the last level given for a code counts. It panics without a code. By
// default no code has a level of its own.
func CodeLevel(level slog.Level, of ...codes.Code) Option {
	if len(of) == 0 {
		panic("logging.CodeLevel: no code; pass the codes that the level is for, such as codes.PermissionDenied")
	}
	of = slices.Clone(of)
	return option(func(h *hook) {
		for _, code := range of {
			h.codes[code] = level
		}
	})
}

// Slow calls a call slow that took longer than limit: its record has the attribute
// slow and at least the level warn, and [Sample] never leaves it out. What streams
// is not judged, since clients decide how long that takes: streaming RPCs, and HTTP
// responses that are sent in parts, such as server-sent events. It panics for a
// limit that is not positive. The default is no limit; the last one given counts.
func Slow(limit time.Duration) Option {
	if limit <= 0 {
		panic(fmt.Sprintf("logging.Slow(%v): pass a positive duration, or leave the option out", limit))
	}
	return option(func(h *hook) { h.slow = limit })
}

// Sample writes the record of one in n successes per method: of the first, and of
// every n-th after it. Their attribute sample_rate is n, so that sums can be made
// up for. What did not succeed, was refused, was slow by [Slow], or has a level
// above info is always on record. It panics for n below 1. The default, like 1, is
// every call; the last one given counts. It has no effect on the records of
// [Payloads], which are written before anybody knows how the call ends.
func Sample(n int) Option {
	if n < 1 {
		panic(fmt.Sprintf("logging.Sample(%d): pass 1 or more, such as 100 for one in a hundred", n))
	}
	return option(func(h *hook) {
		h.sampling = nil
		if n > 1 {
			h.sampling = newSampling(n)
		}
	})
}

// Payloads writes a record at the given level for every message that is received
// and sent, with its content as JSON, without the fields marked debug_redact,
// and cut at 8 KiB. It is meant for development and for tracking down a problem: pass a
// *slog.LevelVar to switch it at run time. The default is no payloads at all; the
// last one given counts, and nil means none. It has no effect on plain routes,
// which have no messages, and on messages that are not protobuf, whose type alone
// is logged.
func Payloads(level slog.Leveler) Option {
	return option(func(h *hook) { h.payloads = level })
}
