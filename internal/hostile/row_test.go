package hostile_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/http2"
	"google.golang.org/grpc/codes"
)

// row is one request of the table, and what must come of it.
type row struct {
	name      string       // begins with the number of its case
	call      call         // what is asked for
	doors     string       // through which doors; "" is all that the call has
	path      string       // instead of the call's own, with verb
	fields    []string     // the hostile ones, beside those of the call
	alter     func(a *ask) // changes the request further, if set
	want      outcome
	at        map[door]outcome // where it is another one
	good      []string         // the fields of the same request with a sufficient credential; nil is an administrator's
	elsewhere bool             // the handler of another service runs
	noGood    bool             // nothing could turn the answer into access
	often     bool             // a server could answer it differently from time to time
	times     int              // how many of 1,000 repetitions are made; signatures and large requests are expensive
	hide      []string         // what must be in no output, besides credentials
	unread    []string         // what no client may read
	seenFrom  string           // the client address in the log
	after     func(t *testing.T, s *site, first reply)
}

// outcome is an answer and what the server did for it.
type outcome struct {
	code      codes.Code
	status    int    // over HTTP
	text      string // the message that the client reads; "" for what another library says
	plain     bool   // answered by net/http itself, on RPCs too: the HTTP status counts
	reset     *http2.ErrCode
	closed    bool   // HTTP/1.1: the connection is closed without an answer
	silent    bool   // answered before any hook
	label     string // the method in the log; "" is that of the call
	reads     bool   // the message is decoded first
	runs      bool   // by the handler
	agreed    bool   // refused by a hook that does not decide access
	elsewhere bool   // as of a row
	also      map[string]string
}

// The answers that the service gives.
var (
	allowed         = outcome{code: codes.OK, status: 200}
	unauthenticated = outcome{code: codes.Unauthenticated, status: 401, text: "a valid credential is required"}
	denied          = outcome{code: codes.PermissionDenied, status: 403, text: "permission denied"}
	internal        = outcome{code: codes.Internal, status: 500, text: "internal error"}

	unknownMethod  = outcome{code: codes.Unimplemented, status: 404, label: "unknown"}
	wrongMethod    = outcome{code: codes.Unimplemented, status: 405, label: "unknown"}
	headerTooLarge = outcome{status: 431, plain: true, silent: true}
	malformedPath  = outcome{code: codes.Unimplemented, silent: true}
	badRequest     = outcome{status: 400, label: "unknown"}
	redirected     = outcome{status: 307, label: "unknown"}
	protocolError  = outcome{reset: new(http2.ErrCodeProtocol), silent: true}
)

// with returns the outcome with a label.
func (o outcome) with(label string) outcome {
	o.label = label
	return o
}

// over returns the row's request through a door, the label of its method, and what
// must come of it; false if it is not asked for there.
func (r row) over(d door) (ask, outcome, bool) {
	if r.doors != "" && !strings.Contains(r.doors, string(d)) {
		return ask{}, outcome{}, false
	}
	a, label, ok := r.call.over(d)
	if !ok {
		return ask{}, outcome{}, false
	}
	if verb, target, ok := strings.Cut(r.path, " "); ok {
		a.verb, a.target = verb, target
		if verb == http.MethodGet {
			a.body = ""
		}
	}
	a.fields = slices.Concat(a.fields, r.fields)
	if r.alter != nil {
		r.alter(&a)
	}
	want := r.want
	if other, ok := r.at[d]; ok {
		want = other
	}
	if want.label == "" {
		want.label = label
	}
	return a, want, true
}

// sufficient returns the same request with a credential that is.
func (r row) sufficient(d door) (ask, string) {
	a, label, _ := r.call.over(d)
	good := r.good
	if good == nil {
		good = []string{bearer(admin())}
	}
	a.fields = slices.Concat(a.fields, good)
	return a, label
}
