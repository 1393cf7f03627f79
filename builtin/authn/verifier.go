package authn

import "context"

// Verifier tells whose credential it is. [New] calls it from BeforeHandler, at
// most once per call, from many goroutines at once.
type Verifier interface {
	// Verify returns the principal that the credential stands for. ctx is the
	// call's: it ends when the caller gives up. token is 1 to [MaxCredential]
	// bytes of token68; a verifier may keep it no longer than it must, and keeps
	// it out of the text of errors.
	//
	// Every error refuses the call as UNAUTHENTICATED, except that an error with
	// the status UNAVAILABLE or RESOURCE_EXHAUSTED in its chain, and a timeout, say
	// that the verifier could not decide. The error is the cause of the one the call fails with,
	// for operators; clients see nothing of it. A nil principal, or one without a
	// subject, with a nil error is a refusal too. A panic fails the call INTERNAL.
	//
	// The principal may be shared between calls, being immutable. Its expiry is
	// when the credential stops counting, allowance for clock skew included.
	Verify(ctx context.Context, token string) (*Principal, error)
}

// VerifierFunc makes a [Verifier] of a function.
type VerifierFunc func(ctx context.Context, token string) (*Principal, error)

var _ Verifier = VerifierFunc(nil)

// Verify calls f.
func (f VerifierFunc) Verify(ctx context.Context, token string) (*Principal, error) {
	return f(ctx, token)
}
