package fidelity_test

import (
	"fmt"
	"slices"
	"strings"
)

// deliberate is one difference that is meant to be. Each line of what differs must
// hold the text given for it, in order: whatever else differs is a mistake, and so
// is an entry that differs no more.
type deliberate struct {
	cases   []string
	only    string // a part of the variants it holds for; "" is all of them
	reason  string
	bare    []string // what only the bare server's side says
	wrapped []string // what only the wrapped server's side says
}

// Parts of what sides say.
var (
	closed       = []string{"connection closed"}
	kept         = []string{"connection kept", "Content-Length: 0", "Date"}
	internal     = `{\"code\":13,\"message\":\"internal error\",\"details\":[]}`
	internalH1   = []string{"500 Internal Server Error", "Content-Length: 51", "Content-Type: application/json", "Date", "Vary: Accept", internal}
	internalH2   = []string{"HEADERS", ":status: 500", "content-length: 51", "content-type: application/json", "date", "vary: Accept", internal}
	panicsBefore = []string{"http/a panic", "http/a panic after the header was set", "http/a status that does not exist"}
)

const (
	panicReason    = "a panic before the header is an answer, INTERNAL, instead of a connection that breaks"
	tooLargeReason = "net/http's own writer has a method by which http.MaxBytesReader has the connection closed, and no other writer can have it; the stack goes by the status instead: 413 for a request with a body closes"
)

// differences are all that a wrapped server does otherwise on purpose.
var differences = []deliberate{
	{over(panicsBefore, "HTTP 1.1"), "", panicReason, slices.Concat(closed, closed), slices.Concat(internalH1, kept)},
	{over(panicsBefore, "HTTP 1.0"), "", panicReason, closed, internalH1},
	{over(panicsBefore, "HTTP 2"), "", panicReason, []string{"RST_STREAM INTERNAL_ERROR"}, internalH2},

	{[]string{"http/413 for a body that was read over HTTP 1.1"}, "", tooLargeReason, kept, []string{"Connection: close", "connection closed"}},
	{[]string{"http/413 for a body that was read over HTTP 1.0"}, "", tooLargeReason, nil, []string{"Connection: close"}},
	{[]string{"http/a body over the limit and another status over HTTP 1.1"}, outsideTimeout, tooLargeReason, []string{"Connection: close", "connection closed"}, kept},
	{[]string{"http/a body over the limit and another status over HTTP 1.0"}, outsideTimeout, tooLargeReason, []string{"Connection: close"}, nil},
	{[]string{"http/a body over the limit over HTTP 1.1", "http/a body over the limit of a handler around over HTTP 1.1", "http/an expectation and a limit"}, insideTimeout, tooLargeReason, kept, []string{"Connection: close", "connection closed"}},
	{[]string{"http/a body over the limit over HTTP 1.0", "http/a body over the limit of a handler around over HTTP 1.0"}, insideTimeout, tooLargeReason, nil, []string{"Connection: close"}},

	{rpcsOf("untyped", everyKind), "", textReason, []string{"grpc-message: private text"}, []string{"grpc-message: internal error"}},
	{rpcsOf("EOF", unaryKind), "", textReason, []string{"grpc-message: EOF"}, []string{"grpc-message: internal error"}},
	{rpcsOf("wrapped", unaryKind), "", textReason, []string{"grpc-message: private text: rpc error: code = NotFound desc = no such thing"}, []string{"grpc-message: no such thing"}},
	{rpcsOf("wrapped cancel", unaryKind), "", textReason, []string{"grpc-message: private text: context canceled"}, []string{"grpc-message: context canceled"}},
	{[]string{"client/a stats handler of the user"}, "usual", "a header that a hook sets leaves before the trailers, and stats handlers hear of it", nil, []string{"out header"}},
	{rpcsOf("debug", everyKind), "", debugReason, []string{"grpc-status-details-bin"}, nil},

	{restErrors("untyped"), "", textReason, lengthAnd("private text"), lengthAnd("internal error")},
	{restErrors("EOF"), "", textReason, lengthAnd("EOF"), lengthAnd("internal error")},
	{restErrors("wrapped"), "", textReason, lengthAnd("private text: rpc error"), lengthAnd("no such thing")},
	{restErrors("wrapped cancel"), "", textReason, lengthAnd("private text: context canceled"), lengthAnd("context canceled")},
	{restErrors("debug"), "", debugReason, lengthAnd("DebugInfo"), lengthAnd(`\"details\":[]`)},
	{restErrors("retry"), "", "RetryInfo becomes Retry-After, which clients of REST look for", nil, []string{"Retry-After: 0"}},
	{[]string{"rest/a verb of another binding", "rest/OPTIONS of a call", "rest/HEAD of a call"}, "", "a verb that is not bound is 405, as HTTP has it, not 501", []string{"501 Not Implemented"}, []string{"405 Method Not Allowed"}},
	{[]string{"rest/the method override", "rest/a form for a GET binding"}, "", "a POST is a POST: checks that were made for it must not meet another method", slices.Concat([]string{"200 OK"}, lengthAnd("text")), slices.Concat([]string{"405 Method Not Allowed"}, lengthAnd("Method Not Allowed"))},
	{[]string{"rest/a handler over REST: compressor"}, "", inProcessReason, []string{"compressor set: true", "supported: [gzip]"}, []string{"compressor set: false", "supported: []"}},
	{[]string{"rest/a timeout of the client's"}, "", inProcessReason, []string{ownStream, "content-type", "grpc-accept-encoding", "user-agent"}, []string{inProcessStream}},
	{[]string{"rest/forwarding fields of the client's"}, "", "who is forwarded for is taken from what was verified, not from the client", []string{ownStream, "content-type", "grpc-accept-encoding", "user-agent", "192.0.2.1, 127.0.0.1", "other.test"}, []string{inProcessStream, `x-forwarded-for ["127.0.0.1"]`, `x-forwarded-host ["example.test"]`}},
	{[]string{"rest/metadata of the client's"}, "", "Grpc-Metadata-* would let any client of REST send metadata that handlers trust", []string{ownStream, "content-type", "grpc-accept-encoding", "own-bin", "user-agent", "x-own"}, []string{inProcessStream}},
}

const (
	inProcessReason = "a gateway calls in process: there is no gRPC wire, so nothing on it is described or compressed"
	ownStream       = "stream *transport.ServerStream"
	inProcessStream = "stream *grpcadapter.serverTransport"
)

func restErrors(id string) []string { return []string{"rest/an error over REST: " + id} }

// lengthAnd is a body and its length, both of which differ.
func lengthAnd(body string) []string { return []string{"Content-Length", body} }

const (
	textReason  = "text that was not written for clients stays with the operator: of an error only its status goes out"
	debugReason = "DebugInfo is for the operator, and never goes out"
)

// everyKind are the cases of all kinds of RPC, which unaryKind is one of.
var (
	unaryKind = []string{"a handler's error: "}
	everyKind = []string{"a handler's error: ", "a server stream: ", "messages to " + clientStream + ": ", "messages to " + bidiStream + ": "}
)

// rpcsOf names the cases of RPCs, on both transports, that ask for one thing.
func rpcsOf(id string, kinds []string) []string {
	var all []string
	for _, kind := range kinds {
		all = append(all, "grpc/"+kind+id, "mounted/"+kind+id)
	}
	return all
}

// A TimeoutHandler's writer does not have net/http's method either.
const (
	insideTimeout  = "TimeoutHandler"
	outsideTimeout = "!TimeoutHandler"
)

// over names cases as (simple).over does.
func over(names []string, version string) []string {
	var all []string
	for _, name := range names {
		all = append(all, name+" over "+version)
	}
	return all
}

// deliberateFor returns the entry for a result, or nil.
func deliberateFor(got result) *deliberate {
	for i, d := range differences {
		if slices.Contains(d.cases, got.name) && d.holdsFor(got.variant) {
			return &differences[i]
		}
	}
	return nil
}

func (d *deliberate) holdsFor(variant string) bool {
	if not, ok := strings.CutPrefix(d.only, "!"); ok {
		return !strings.Contains(variant, not)
	}
	return strings.Contains(variant, d.only)
}

// describes tells whether diff is this difference and nothing else.
func (d *deliberate) describes(diff string) bool {
	bare, wrapped := d.bare, d.wrapped
	for line := range strings.Lines(strings.TrimPrefix(diff, "\n")) {
		line = strings.TrimSpace(line)
		side := &wrapped
		if strings.HasPrefix(line, "-") {
			side = &bare
		}
		if len(*side) == 0 || !strings.Contains(line, (*side)[0]) {
			return false
		}
		*side = (*side)[1:]
	}
	return len(bare)+len(wrapped) == 0
}

// wireTrace is what every answer of a stock gateway has that dials its server.
const wireTrace = "client: Grpc-Metadata-Content-Type: application/grpc"

const wireTraceReason = "a call in process has no gRPC content type, and clients of REST have no use for it"

// withoutUseless returns the bare server's side without that.
func withoutUseless(got result) []string {
	if !strings.HasPrefix(got.name, "rest/") {
		return got.bare
	}
	return slices.DeleteFunc(slices.Clone(got.bare), func(line string) bool { return line == wireTrace })
}

// listOfDeliberate prints the differences with their reasons.
func listOfDeliberate() string {
	var out strings.Builder
	out.WriteString("differences on purpose:")
	for _, d := range differences {
		fmt.Fprintf(&out, "\n\t%s\n\t\t%s", strings.Join(d.cases, "\n\t"), d.reason)
	}
	fmt.Fprintf(&out, "\n\trest: no %q\n\t\t%s", wireTrace, wireTraceReason)
	return out.String()
}
