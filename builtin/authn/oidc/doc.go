// Package oidc verifies the tokens of an OpenID Connect provider, knowing no more than
// its name: keys and algorithms come from the provider's discovery document (OpenID
// Connect Discovery 1.0).
//
// [New] makes the [Verifier] for authn.Bearer. It reads the document once, checks that
// it is of the very issuer that was asked for, and hands what it says to packages jwks
// and jwt, whose rules hold for keys and tokens. The document and the keys are fetched
// over https alone, in bounded time and size; a redirect to another host is refused.
// The keys may be on another host than the document if the document says so.
//
// An algorithm is accepted if both the document and package jwt list it; a provider
// that names none is taken at the keys' word.
//
// # When the provider is down
//
// By default New fails without the document, so that a wrong name is found at
// start-up. With [Lazy] the program starts anyway: until the document has been read,
// every token is answered UNAVAILABLE (503), and a call tries again at most every 30
// seconds. The document is not read again after that; a provider that moves its keys to
// another URL needs a restart. The keys are, as package jwks says.
//
// # Which tokens
//
// Access tokens for this service, whose audience it is. An ID token proves to an
// application that a user has logged in to it, and is no credential for an API: do not
// pass the client id of an application as the audience to let it in.
package oidc
