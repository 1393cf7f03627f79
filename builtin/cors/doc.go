// Package cors lets pages of other origins read the answers of a service, and
// answers the preflight requests that browsers send before.
//
// The hook made by [New] speaks the protocol of the Fetch standard over REST and
// net/http; on gRPC it does nothing. It is for browsers alone and opens, it does
// not close: a call from an origin that is not listed is answered as ever, but the
// page that made it cannot read the answer. Use package csrf to refuse calls.
//
// # Preflights
//
// OPTIONS with Origin and Access-Control-Request-Method is answered with 204 in
// BeforeRequest: before routing, before authentication, since a preflight carries
// no credentials, and without a handler. A stranger's origin, a method and headers
// that are not allowed get 204 as well, with Vary and without any
// Access-Control-Allow-… header, which makes the browser give up. Any other OPTIONS
// request is not a preflight and goes on.
//
// # Other calls
//
// An allowed origin is named in Access-Control-Allow-Origin of successes, errors
// and redirects alike. Vary: Origin is on every answer, also on those to calls
// without Origin: a cache would otherwise hand an answer without the header to a
// page that needs it.
//
// # Origins
//
// They are compared byte by byte with those given to [Origins], each checked at
// start-up to be one that a browser can send. There are no patterns: whoever gets
// hold of one subdomain would be let in by "*.example.com". [AnyOrigin] is for data
// that is public anyway, and refuses to work with [Credentials].
//
// # Order, cost and limits
//
// List it outside of every hook that may reject a call, authentication above all:
// a page cannot read an error without the headers. It takes no allocation on calls
// without Origin beyond those of the header Vary, and seven on those of a page that
// is allowed. github.com/rs/cors writes the
// headers.
package cors
