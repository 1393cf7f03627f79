package logging

import (
	"fmt"
	"log/slog"

	"github.com/crosscut-go/crosscut/interceptor"
)

// Option changes what [New] does.
type Option interface{ apply(*hook) }

type option func(*hook)

func (f option) apply(h *hook) { f(h) }

// Keys adds the values of keys to the record of every call that has them, under
// the keys' names and in this order. Strings are cut at 1 KiB. Repeating the
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
// [DefaultLevel]. It is called in AfterResponse, when the outcome is final, by
// many goroutines at once. The last one given counts; nil is the default.
func Level(level func(call *interceptor.Call) slog.Level) Option {
	return option(func(h *hook) {
		if level == nil {
			level = DefaultLevel
		}
		h.level = level
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
