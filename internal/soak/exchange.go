package main

import (
	"context"
	"errors"
	"math/rand/v2"
	"net/http"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
)

// exchange is one way of making a call: a transport and a kind of method.
type exchange struct {
	way, shape string
	noDeadline bool // the transport has none that a client can send
	make       func(ctx context.Context, s *site, c call) outcome
}

// call is what a client knows of the call it makes.
type call struct {
	id  int
	act act
}

// sort is what a call is, as the book keeps it.
type sort struct {
	exchange uint8
	act      act
}

// outcome is what a client got.
type outcome struct {
	code codes.Code
	http int  // HTTP status, 0 without one
	cut  bool // the response broke off, so that there is no code
}

// exchanges are all ways of making a call.
var exchanges = allExchanges()

func allExchanges() []exchange {
	var all []exchange
	for _, w := range []struct {
		name string
		conn func(*site) grpc.ClientConnInterface
	}{
		{"gRPC", func(s *site) grpc.ClientConnInterface { return s.wire }},
		{"gRPC in net/http", func(s *site) grpc.ClientConnInterface { return s.mounted }},
		{"in process", func(s *site) grpc.ClientConnInterface { return s.grpc.Conn() }},
	} {
		for _, shape := range rpcShapes {
			all = append(all, exchange{w.name, shape.name, false, rpcBy(w.conn, shape.call)})
		}
	}
	for _, version := range []struct {
		name   string
		client func(*site) *http.Client
	}{
		{"/1.1", func(s *site) *http.Client { return s.http1 }},
		{"/2", func(s *site) *http.Client { return s.http2 }},
	} {
		for _, shape := range restShapes {
			all = append(all, exchange{"REST" + version.name, shape.name, false, requestBy(version.client, shape)})
		}
		for _, shape := range plainShapes {
			all = append(all, exchange{"HTTP" + version.name, shape.name, true, requestBy(version.client, shape)})
		}
	}
	return all
}

const (
	text     = "the text of a message" // in every message
	expiry   = 40 * time.Millisecond   // the deadline that passes
	patience = time.Minute             // after which a call that does not end is a failure
)

// choose returns what the call of the number is; the same for the same seed.
func choose(seed uint64, id int) sort {
	r := rand.New(rand.NewPCG(seed, uint64(id))) //nolint:gosec // to be repeatable, not secret
	e := r.IntN(len(exchanges))
	a := pickAct(r.IntN(totalWeight))
	if a == expire && exchanges[e].noDeadline {
		a = leave
	}
	return sort{uint8(e), a} //nolint:gosec // there are few
}

var totalWeight = func() (sum int) {
	for _, a := range acts {
		sum += a.weight
	}
	return sum
}()

// pickAct returns the act at a position below totalWeight.
func pickAct(position int) act {
	a := succeed
	for position >= acts[a].weight {
		position -= acts[a].weight
		a++
	}
	return a
}

// makeCall makes the call of the number and books what the client got.
func (s *site) makeCall(id int, what sort) {
	rec := &s.book.records[id]
	rec.sort = what
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if what.act == leave {
		var left context.CancelFunc
		ctx, left = context.WithCancel(ctx)
		defer left()
		s.book.onBegun(id, left)
	}
	got := exchanges[what.exchange].make(ctx, s, call{id, what.act})
	if got.cut {
		rec.cut.Store(true)
	}
	rec.client.give(got.code, got.http)
}

// codeOfContext returns the code for an error of a request whose context ended,
// and codes.Unknown for any other.
func codeOfContext(err error) codes.Code {
	switch {
	case errors.Is(err, context.Canceled):
		return codes.Canceled
	case errors.Is(err, context.DeadlineExceeded):
		return codes.DeadlineExceeded
	default:
		return codes.Unknown
	}
}
