package interceptortest

import (
	"context"
	"strings"
	"sync"
	"time"

	"google.golang.org/grpc/codes"

	"github.com/crosscut-go/crosscut/interceptor"
)

// The phases in the notation of traces: "BR2" is BeforeRequest of hook 2, HND is
// the handler, DF the cleanup that hook 1 defers.
const (
	br, bh, rx, tx, oe, rs, ar, df = "BR", "BH", "RX", "TX", "OE", "RS", "AR", "DF"
	hnd                            = "HND"
)

// moment is a step of a call in which an action runs.
type moment struct {
	at   string // such as "BR2"
	play *play
	ctx  context.Context
	call *interceptor.Call
	msg  any
	err  error
	h    *handling // in the handler
}

// action is what a hook or the handler does in one step. It returns what the
// phase returns; the context counts in Before… phases only.
type action func(m *moment) (context.Context, error)

// on maps steps to actions. Steps that are not listed let the call pass.
type on map[string]action

// fact is what could be seen of a call in one step.
type fact struct {
	at         string
	err        error // what OnError received, and Call.Err elsewhere
	code       codes.Code
	httpStatus int
	value      bool // the value of valueKey is in the context
	key        bool // the key is set in the call
	committed  bool
}

// play is one performance of a scenario: its hooks write down every step and act
// as the scenario says.
type play struct {
	way      *way
	on       on
	rec      *recorder
	deadline time.Duration // of calls that expire

	mu      sync.Mutex
	facts   map[*interceptor.Call][]fact
	gone    chan struct{} // closed when the client shall give up
	giveUp  sync.Once
	methods map[*interceptor.Call]*interceptor.Method
}

func newPlay(w *way, do on) *play {
	return &play{
		way: w, on: do, rec: newRecorder(), gone: make(chan struct{}),
		facts: map[*interceptor.Call][]fact{}, methods: map[*interceptor.Call]*interceptor.Method{},
	}
}

// step notes a step with what can be seen in it, and acts.
func (p *play) step(m *moment) (context.Context, error) {
	p.rec.add(m.call, m.at)
	return p.act(m)
}

func (p *play) act(m *moment) (context.Context, error) {
	m.play = p
	f := fact{at: m.at, err: m.err, code: m.call.Code(), httpStatus: m.call.HTTPStatus(), committed: m.call.Committed()}
	if m.err == nil {
		f.err = m.call.Err()
	}
	f.value = m.ctx.Value(valueKey{}) != nil
	_, f.key = callKey.Get(m.call)
	p.mu.Lock()
	p.facts[m.call] = append(p.facts[m.call], f)
	p.mu.Unlock()
	if do := p.on[m.at]; do != nil {
		return do(m)
	}
	return m.ctx, m.err
}

// hook is one of the hooks H1, H2, H3; it has every phase but WrapHandler, which
// it has only if the scenario says what to do there.
func (p *play) hook(n string) interceptor.Hook {
	plain := func(phase string, ctx context.Context, call *interceptor.Call, msg any, err error) error {
		_, err = p.step(&moment{at: phase + n, ctx: ctx, call: call, msg: msg, err: err})
		return err
	}
	return interceptor.FromFuncs(n, interceptor.Funcs{
		BeforeRequest: func(ctx context.Context, call *interceptor.Call) (context.Context, error) {
			if n == "1" {
				call.Defer(func() { p.rec.add(call, df) })
			}
			return p.step(&moment{at: br + n, ctx: ctx, call: call})
		},
		BeforeHandler: func(ctx context.Context, call *interceptor.Call, m *interceptor.Method) (context.Context, error) {
			p.mu.Lock()
			p.methods[call] = m
			p.mu.Unlock()
			return p.step(&moment{at: bh + n, ctx: ctx, call: call})
		},
		OnReceive: func(ctx context.Context, call *interceptor.Call, msg any) error {
			return plain(rx, ctx, call, msg, nil)
		},
		OnSend: func(ctx context.Context, call *interceptor.Call, msg any) error {
			return plain(tx, ctx, call, msg, nil)
		},
		OnError: func(ctx context.Context, call *interceptor.Call, err error) error {
			return plain(oe, ctx, call, nil, err)
		},
		BeforeResponse: func(ctx context.Context, call *interceptor.Call) error {
			return plain(rs, ctx, call, nil, nil)
		},
		AfterResponse: func(ctx context.Context, call *interceptor.Call) {
			_ = plain(ar, ctx, call, nil, nil)
		},
		WrapHandler: p.wrap(n),
	})
}

// wrap is WrapHandler of a hook whose scenario acts there: instead of next if the
// action returns an error or replies.
func (p *play) wrap(n string) func(interceptor.Handler) interceptor.Handler {
	do := p.on["WH"+n]
	if do == nil {
		return nil
	}
	return func(next interceptor.Handler) interceptor.Handler {
		return func(ctx context.Context, call *interceptor.Call) error {
			p.rec.add(call, "WH"+n)
			ctx, err := do(&moment{at: "WH" + n, play: p, ctx: ctx, call: call})
			if err != nil || ctx == nil {
				return err
			}
			return next(ctx, call)
		}
	}
}

// handle is the handler. Its step was noted when it was reached.
func (p *play) handle(h *handling) error {
	m := &moment{at: hnd, ctx: h.ctx, call: h.call, h: h}
	if _, err := p.act(m); err != nil {
		return err
	}
	if p.on[hnd] == nil {
		return h.send(h.text)
	}
	return nil
}

// notation joins steps of one phase: "BR1 BR2 BH1" is "BR12 BH1".
func notation(steps []string) string {
	var words []string
	phase := ""
	for _, step := range steps {
		switch {
		case step == handlerStep:
			words, phase = append(words, hnd), ""
		case len(step) != len(br)+1: // no hook
			words, phase = append(words, step), ""
		case step[:2] == phase:
			words[len(words)-1] += step[2:]
		default:
			words, phase = append(words, step), step[:2]
		}
	}
	return strings.Join(words, " ")
}
