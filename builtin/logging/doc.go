// Package logging writes one log record for every call, whichever transport
// carried it.
//
// The hook made by [New] writes when the outcome is final, so the record tells
// what the client got. Its message is "call", and its attributes are
//
//	method          "/pkg.Service/Method", the pattern of a plain route, or "unknown"
//	transport       "grpc" or "http"; a transcoded REST call is http
//	route           the path template that matched, on HTTP
//	http_method     on HTTP; what is not a standard method is "_OTHER"
//	code            the gRPC code, such as NotFound
//	http_status     what an HTTP client got, where there was a status
//	duration        from the first hook to the last byte
//	received, sent  how many messages went each way; not on plain routes
//	received_bytes, sent_bytes  body bytes, where the transport knows them for free
//	peer            the address of the other end of the connection
//	client_address  from realip.Key
//	request_id      from requestid.Key
//	trace_id, span_id, trace_flags  of the span that package telemetry made
//	principal       the subject in authn.Key
//	denied          true where a deciding hook did not agree, whatever was answered
//	path            only where no method was found, without the query, cut
//	error           the failure with its causes, for operators, cut
//	slow            true where the call took longer than [Slow] allows
//	sample_rate     where [Sample] is at work: how many successes the record stands for
//
// each only where there is something to say. After them come the values of the
// keys listed with [Keys], and what hooks and handlers gave to [Add].
//
// # Levels, and what is left out
//
// A record's level says whose fault the outcome is; see [DefaultLevel]. [CodeLevel]
// moves single codes, [Level] decides by anything the call tells, and [Slow] raises
// what took too long to warn. Where the log is too large, [Sample] leaves out
// successes, and nothing else: failures, refusals, slow calls and whatever has a
// level above info are always on record.
//
// # Payloads
//
// Messages are not logged unless [Payloads] asks for it; then every message of an
// RPC is a record of its own, "message". Only with that option does the hook see
// messages at all.
//
// # What never appears
//
// No query string, header or credential is read. Fields with the option
// debug_redact are replaced wherever a message is printed: deep inside of
// messages, lists, maps and google.protobuf.Any, in payloads as well as in
// messages given to Add or held by a key. What cannot be judged is not printed:
// unknown fields, and Any of a type that is not linked in. The text of an error
// may quote a message, so on methods whose messages have such fields their values
// are cut out of the text, and where the message is no longer at hand (streams,
// and requests that could not be decoded or were refused) the text is withheld.
//
// # Order
//
// List it outside of everything whose refusals must be on record, and inside of
// nothing but request ids: a call rejected before this hook was entered has no
// record.
//
// # Cost and limits
//
// What all calls of a method have in common (method to http_method above) is given
// to the slog.Handler once, with WithAttrs. A record takes one allocation
// beyond what the handler needs for it where it has more than five attributes of its
// own, one for the peer's address on gRPC, and one for the ids of a span. A record that is not written, because
// the handler is not enabled for its level or for [Sample], takes none. The hook
// sees what the server knows: bytes that were written but never arrived count as
// sent.
package logging
