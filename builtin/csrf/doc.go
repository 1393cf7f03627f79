// Package csrf refuses what other people's pages make a browser do in its user's
// name.
//
// The hook made by [New] applies net/http.CrossOriginProtection to REST and plain
// HTTP calls before their handlers run; on gRPC it does nothing, since a page
// cannot speak it. No tokens are needed, and nothing is kept: browsers say in
// Sec-Fetch-Site, older ones in Origin, where a request comes from.
//
// # What is refused
//
// A call with a method other than GET, HEAD and OPTIONS that comes from another
// origin is refused with PERMISSION_DENIED (403), subdomains of one's own site
// included. [TrustOrigins] makes exceptions. Requests without either header are
// not from a current browser and pass. A request with an Upgrade header is checked
// whatever its method: a WebSocket begins as a GET, with the visitor's cookies, and no
// rule of cross-origin reading protects what comes after.
//
// Calls without a cookie that bring a token in Authorization are judged on the
// token alone: a browser never adds one by itself, and a page of another origin
// may only with the consent of package cors. That is not so for the schemes whose
// passwords browsers remember, such as Basic. Calls that bring neither are checked
// too: signing somebody in to a stranger's account is an attack, and a browser may
// be known by its client certificate or its network.
//
// # JSON dressed as a form
//
// A page may POST text/plain, a form, or a body without a type to any origin
// without asking, and a gateway takes all of them for JSON. On RPCs called over
// REST, a call that browsers give authority to (a cookie, or a password they
// remember) must therefore say that its body is JSON: application/json or any type
// that ends in +json, else it is refused with INVALID_ARGUMENT and 415, unread.
// [ContentTypes] adds others. Requests without a body say so with Content-Length:
// 0, as browsers do; other methods than POST need no type, since no page can send
// them unasked, but a wrong one is refused too. Plain handlers read what they like
// and are left alone.
//
// # Order and limits
//
// List it before authentication or after, at will: it decides in BeforeHandler
// from the headers alone. Its refusals, unlike those of an authorization hook, do
// not count as interceptor.Call.Denied.
//
// It cannot see what a GET does: handlers and RPCs bound to GET must change
// nothing. Behind a proxy that replaces Host, old browsers' same-origin
// requests look foreign; name the public origin with [TrustOrigins].
//
// A call that no rule is about takes no allocation; one with an unsafe method from
// a browser takes two.
package csrf
