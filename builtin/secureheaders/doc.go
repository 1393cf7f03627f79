// Package secureheaders sets the response headers that make browsers careful.
//
// The hook made by [New] sets them on every answer over REST and net/http, errors
// and redirects included; on gRPC it does nothing. Without options they are
//
//	Strict-Transport-Security     max-age=31536000, over https only
//	X-Content-Type-Options        nosniff
//	Referrer-Policy               strict-origin-when-cross-origin
//	X-Frame-Options               DENY
//	Content-Security-Policy       frame-ancestors 'none'
//	Cross-Origin-Opener-Policy    same-origin
//	Cross-Origin-Resource-Policy  same-origin
//
// which suits an API as well as pages. Each option changes one of them, and its
// value "" leaves the header out; [PermissionsPolicy] adds one. Values are checked
// when the hook is made: browsers ignore a misspelt policy in silence.
//
// # Who wins
//
// The headers are defaults. Where a handler or a hook has set one of them itself,
// for a page with a policy of its own, that value stands.
//
// # HSTS
//
// Strict-Transport-Security binds a host name for a year: browsers then refuse to
// open it without TLS, and nobody can take that back from the server's side before
// they return. The default neither includes subdomains nor asks to be preloaded;
// see [HSTSIncludeSubDomains] and [HSTSPreload]. RFC 6797 section 7.2 forbids the
// header over plain http, so it is sent only where interceptor.Call.Scheme is
// https, which no header of a client changes. Where a proxy ends TLS, say so with
// [BehindTLSProxy].
//
// # Order and cost
//
// List it outermost, or nearly: answers of hooks outside of it do not have the
// headers. It makes no allocation by itself; setting response headers takes some,
// about one per header.
package secureheaders
