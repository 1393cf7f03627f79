package main

import (
	"context"
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"

	"google.golang.org/grpc/codes"

	"github.com/crosscut-go/crosscut/interceptor"
)

// The headers that name a call and what is to become of it.
const (
	idHeader  = "soak-id"
	actHeader = "soak-act"
)

// book holds a record of every call, by the call's number. All of it is allocated
// before the first call, so that it does not count as memory left behind.
type book struct {
	records []record
	issued  atomic.Int64 // records in use
	open    atomic.Int64 // calls begun whose outermost hook has not been told the outcome
	strange atomic.Int64 // calls without a number
	leaving sync.Map     // call number → context.CancelFunc of its client
}

// record is what is known of one call. The server's hooks and the client write it.
type record struct {
	entered, ended [bookHooks]atomic.Uint32
	server, client verdict
	cut            atomic.Bool // the response broke off
	sort           sort        // set by the client before the call
}

// bookHooks is how many hooks keep the book: outermost, in the middle, innermost.
const bookHooks = 3

// verdict is an outcome as one side sees it.
type verdict struct {
	code  atomic.Uint32
	http  atomic.Uint32 // HTTP status, 0 without one
	count atomic.Uint32 // how often it was given
}

func (v *verdict) give(code codes.Code, httpStatus int) {
	v.code.Store(uint32(code))
	v.http.Store(uint32(httpStatus)) //nolint:gosec // a status
	v.count.Add(1)
}

// ticket is what a call's hooks and handler know of it.
type ticket struct {
	id  int
	act act
	rec *record
}

var ticketKey = interceptor.NewKey[ticket]("soak ticket")

// errRefused is the rejection of the act refuse.
var errRefused = interceptor.NewError(codes.PermissionDenied, "refused by a hook")

// outermost is the first hook of the stack. It finds the call's record.
func (b *book) outermost() interceptor.Hook {
	return interceptor.FromFuncs("outermost", interceptor.Funcs{
		BeforeRequest: func(ctx context.Context, call *interceptor.Call) (context.Context, error) {
			t, ok := b.ticketOf(call.RequestHeader())
			if !ok {
				b.strange.Add(1)
				return ctx, nil
			}
			b.open.Add(1)
			ticketKey.Set(call, t)
			t.rec.entered[0].Add(1)
			return ctx, nil
		},
		AfterResponse: func(_ context.Context, call *interceptor.Call) {
			if t, ok := ticketKey.Get(call); ok {
				t.rec.ended[0].Add(1)
				t.rec.server.give(call.Code(), call.HTTPStatus())
				b.open.Add(-1)
			}
		},
	})
}

func (b *book) ticketOf(h interceptor.RequestHeader) (ticket, bool) {
	id, err := strconv.Atoi(h.Get(idHeader))
	a, ok := parseAct(h.Get(actHeader))
	if err != nil || !ok || id < 0 || id >= len(b.records) {
		return ticket{}, false
	}
	return ticket{id, a, &b.records[id]}, true
}

// gate is a hook that rejects calls, or panics, as their tickets ask for.
func (b *book) gate() interceptor.Hook {
	return b.hook("gate", 1, interceptor.Funcs{
		BeforeRequest: func(ctx context.Context, call *interceptor.Call) (context.Context, error) {
			if t, _ := ticketKey.Get(call); t.act == refuse {
				return nil, errRefused
			}
			return ctx, nil
		},
		BeforeHandler: func(ctx context.Context, call *interceptor.Call, m *interceptor.Method) (context.Context, error) {
			if t, _ := ticketKey.Get(call); t.act == stumble {
				panic(fmt.Sprintf("a hook panics before %s", m.Name()))
			}
			return ctx, nil
		},
	})
}

// innermost is the last hook. It has the phases that the others lack.
func (b *book) innermost() interceptor.Hook {
	return b.hook("innermost", 2, interceptor.Funcs{
		OnReceive: func(context.Context, *interceptor.Call, any) error { return nil },
		OnSend:    func(context.Context, *interceptor.Call, any) error { return nil },
		OnError:   func(_ context.Context, _ *interceptor.Call, err error) error { return err },
		WrapHandler: func(next interceptor.Handler) interceptor.Handler {
			return func(ctx context.Context, call *interceptor.Call) error { return next(ctx, call) }
		},
		BeforeResponse: func(context.Context, *interceptor.Call) error { return nil },
	})
}

// hook returns a hook with the phases f that also keeps column i of the book.
func (b *book) hook(name string, i int, f interceptor.Funcs) interceptor.Hook {
	before := f.BeforeRequest
	f.BeforeRequest = func(ctx context.Context, call *interceptor.Call) (context.Context, error) {
		if before != nil {
			if _, err := before(ctx, call); err != nil {
				return nil, err // not entered
			}
		}
		if t, ok := ticketKey.Get(call); ok {
			t.rec.entered[i].Add(1)
		}
		return ctx, nil
	}
	f.AfterResponse = func(_ context.Context, call *interceptor.Call) {
		if t, ok := ticketKey.Get(call); ok {
			t.rec.ended[i].Add(1)
		}
	}
	return interceptor.FromFuncs(name, f)
}

// onBegun makes the server call cancel when the handler of the call has begun.
func (b *book) onBegun(id int, cancel context.CancelFunc) { b.leaving.Store(id, cancel) }

// begun calls the client's cancel function.
func (b *book) begun(id int) {
	if cancel, ok := b.leaving.LoadAndDelete(id); ok {
		cancel.(context.CancelFunc)()
	}
}
