package interceptortest

import (
	"context"
	"errors"
	"net/http"

	"google.golang.org/grpc/codes"

	"github.com/crosscut-go/crosscut/interceptor"
)

// valueKey is the key of a value in contexts, callKey one in calls.
type valueKey struct{}

var callKey = interceptor.NewKey[string]("interceptortest")

// errCause is the cause of every rejection, which clients must not see.
var errCause = errors.New("for operators only")

// reject fails the step with a typed error.
func reject(code codes.Code, public string) action {
	return func(m *moment) (context.Context, error) {
		return m.ctx, interceptor.NewError(code, public, interceptor.WithCause(errCause))
	}
}

// fail fails the step with err as it is.
func fail(err error) action {
	return func(m *moment) (context.Context, error) { return m.ctx, err }
}

// reply answers in the step with a message of the method, or on plain routes
// with text. In OnError it recovers.
func reply(text string) action {
	return func(m *moment) (context.Context, error) {
		if m.play.way.plain() {
			return m.ctx, m.call.ReplyHTTP(http.StatusOK, "text/plain", []byte(text))
		}
		return m.ctx, m.call.Reply(m.play.way.reply(text))
	}
}

// replyInstead is reply in WrapHandler, without calling next.
func replyInstead(text string) action {
	return func(m *moment) (context.Context, error) {
		_, err := reply(text)(m)
		return nil, err
	}
}

// pass goes on to next in WrapHandler.
func pass(m *moment) (context.Context, error) { return m.ctx, m.err }

// panics panics with v.
func panics(v any) action {
	return func(*moment) (context.Context, error) { panic(v) }
}

// addHeader adds a value to the trail header in a hook.
func addHeader(value string) action {
	return func(m *moment) (context.Context, error) {
		if err := m.call.ResponseHeader().Add(trailHeader, value); err != nil {
			return m.ctx, err
		}
		return m.ctx, m.err
	}
}

// setDefault sets a default response header in a hook.
func setDefault(key, value string) action {
	return func(m *moment) (context.Context, error) {
		if err := m.call.ResponseHeader().SetDefault(key, value); err != nil {
			return m.ctx, err
		}
		return m.ctx, m.err
	}
}

// putValue puts a value into the context, and setKey one into the call.
func putValue(m *moment) (context.Context, error) {
	return context.WithValue(m.ctx, valueKey{}, "value"), nil
}

func setKey(m *moment) (context.Context, error) {
	callKey.Set(m.call, "value")
	return m.ctx, m.err
}

// await has the hook ask for the first message.
func await(m *moment) (context.Context, error) {
	m.call.AwaitMessage()
	return m.ctx, nil
}

// expire gives the call a deadline that passes soon.
func expire(m *moment) (context.Context, error) {
	ctx, cancel := context.WithTimeout(m.ctx, m.play.deadline)
	m.call.Defer(cancel)
	return ctx, nil
}

// sends has the handler send these messages; without any it sends none.
func sends(texts ...string) action {
	return func(m *moment) (context.Context, error) {
		for _, text := range texts {
			if err := m.h.send(text); err != nil {
				return m.ctx, err
			}
		}
		return m.ctx, nil
	}
}

// sets has the handler set a response header.
func sets(key, value string) action {
	return func(m *moment) (context.Context, error) {
		m.h.header(key, value)
		return m.ctx, nil
	}
}

// untilEnd has the handler wait until its context ends, whose error it returns.
func untilEnd(m *moment) (context.Context, error) {
	<-m.ctx.Done()
	return m.ctx, m.ctx.Err()
}

// clientLeaves has the client give up.
func clientLeaves(m *moment) (context.Context, error) {
	m.play.giveUp.Do(func() { close(m.play.gone) })
	return m.ctx, m.err
}

// both runs actions one after another until one fails.
func both(actions ...action) action {
	return func(m *moment) (context.Context, error) {
		for _, do := range actions {
			ctx, err := do(m)
			if err != nil && !errors.Is(m.err, err) {
				return ctx, err
			}
			m.ctx = ctx
		}
		return m.ctx, m.err
	}
}

// untilGone has the handler wait until its context ends and go on all the same.
func untilGone(m *moment) (context.Context, error) {
	<-m.ctx.Done()
	return m.ctx, nil
}
