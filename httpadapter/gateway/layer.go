package gateway

import (
	"net/http"

	"google.golang.org/grpc/codes"

	"github.com/crosscut-go/crosscut/interceptor"
	"github.com/crosscut-go/crosscut/internal/httpwire"
)

// layer is what runs inside a call: it hardens the request and hands it to the
// gateway's mux. Everything it refuses has passed BeforeRequest.
type layer struct{ g *Handler }

var (
	_ httpwire.Resolver = layer{}
	_ httpwire.Renderer = layer{}
)

func (l layer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if err := l.g.Check(); err != nil {
		l.g.answerTo(w, r).fail(ops.Misuse("the gateway cannot serve: " + err.Error()))
		return
	}
	if httpwire.HasDotSegment(r.URL.Path) {
		l.g.answerTo(w, r).fail(interceptor.NewError(codes.InvalidArgument, "the path has a dot segment"))
		return
	}
	if hardened := l.g.forwardClient(harden(r), r); hardened != r {
		// From here on this is the request: what hooks delete, they delete from it.
		if _, x := l.g.callOf(r.Context()); x != nil {
			x.SetRequest(hardened)
		}
		r = hardened
	}
	l.g.mux.ServeHTTP(w, r)
}

func (l layer) ResolvesFor(stack any) bool {
	s, ok := stack.(*interceptor.Stack)
	return ok && s == l.g.stack
}

func (l layer) RenderError(w http.ResponseWriter, r *http.Request, err error) {
	a := l.g.answerTo(w, r)
	a.writeError(err)
}
