package jwt

// reasonError is why a token was refused, for operators. All are fixed texts:
// nothing of a token can get into a log through them.
type reasonError string

// Error implements error.
func (e reasonError) Error() string { return "jwt: " + string(e) }

// ErrUnknownKey is the error of a [KeySet] that has no key of the id asked for.
var ErrUnknownKey error = reasonError("the key set has no key with the token's key id; if keys were rotated, publish a new one before signing with it")

const (
	errTooLong    = reasonError("the token is longer than 8 KiB")
	errForm       = reasonError("the token is not three parts of base64url without padding, separated by dots")
	errHeader     = reasonError("the token's header is not a JSON object within the limits, or has a member twice")
	errAlgorithm  = reasonError("the token's algorithm is not one of those accepted")
	errForbidden  = reasonError("the token's header has a member that is not accepted: crit, b64, zip, jwk, jku, x5c or x5u")
	errType       = reasonError("the token's typ is not one of those accepted; see jwt.Types")
	errKeyID      = reasonError("the token's kid is not a text of 1 to 128 printable characters")
	errKey        = reasonError("the key of the token's key id cannot be used for its algorithm")
	errSignature  = reasonError("the token's signature is not valid")
	errClaims     = reasonError("the token's claims are not a JSON object within the limits, or have a member twice")
	errIssuer     = reasonError("the token's issuer is not the one expected")
	errAudience   = reasonError("the token is for another audience, or for none")
	errSubject    = reasonError("the token has no subject, or one that is longer than 255 bytes or has control characters")
	errNoExpiry   = reasonError("the token has no expiry, or one that is not a number")
	errExpired    = reasonError("the token has expired")
	errNotYet     = reasonError("the token is not valid yet, or its nbf is not a number")
	errIssuedAt   = reasonError("the token was issued in the future, or its iat is not a number")
	errTooLasting = reasonError("the token's lifetime is longer than accepted; see jwt.MaxLifetime")
)
