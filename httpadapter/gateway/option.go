package gateway

import "github.com/grpc-ecosystem/grpc-gateway/v2/runtime"

// Option configures a [Handler].
type Option interface{ apply(*settings) }

type settings struct {
	mux   []runtime.ServeMuxOption
	binds []bind
}

type bind struct{ verb, pattern, method string }

type optionFunc func(*settings)

func (f optionFunc) apply(s *settings) { f(s) }

// MuxOptions passes options to the gateway's own runtime.ServeMux: marshalers,
// matchers, error handlers, forward options, middlewares. They work as on any
// gateway, with these differences. Middlewares run inside the hooks'
// BeforeHandler. Error handlers receive errors after the hooks' OnError and
// without the text of errors that were not written for clients; errors.Is and
// errors.As still find the original. The method override and the fallback from
// POST to GET stay off whatever the options say.
//
// Every option is applied twice, to the mux that serves and to one that only
// writes errors, so an option with side effects must bear that. Repeating
// MuxOptions appends.
func MuxOptions(opts ...runtime.ServeMuxOption) Option {
	return optionFunc(func(s *settings) { s.mux = append(s.mux, opts...) })
}

// Bind tells the gateway which RPC a REST route runs when the descriptors do not
// say so: bindings from a YAML service configuration, a path on which two
// services collide, and custom routes that dispatch an RPC themselves, such as
// runtime.WithHealthEndpointAt. Bindings from google.api.http annotations, and
// the POST routes that generate_unbound_methods makes, are known without it.
//
// verb is an HTTP method, pattern a path template as in google.api.http, and
// fullMethod the RPC's full name, "/pkg.Service/Method". A pattern that does not
// parse and an RPC that the connection does not serve are errors of
// [Handler.Check]. Bind only names the RPC; the route itself comes from
// registration on [Handler.Mux]. The last Bind for a verb and pattern wins, also
// over an annotation.
func Bind(verb, pattern, fullMethod string) Option {
	return optionFunc(func(s *settings) { s.binds = append(s.binds, bind{verb, pattern, fullMethod}) })
}
