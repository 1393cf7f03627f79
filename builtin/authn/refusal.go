package authn

import (
	"context"
	"errors"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/crosscut-go/crosscut/interceptor"
)

// What clients are told. It is the same for every refusal: saying which check
// failed would help nobody but an attacker.
const (
	publicRefusal     = "a valid credential is required"
	publicExpired     = "the credential has expired"
	publicBusy        = "too many credentials are being checked at the moment; try again later"
	publicUnavailable = "the credential cannot be checked at the moment; try again later"
)

// reason is why a credential was refused, for operators.
type reason uint8

const (
	none reason = iota
	missing
	empty
	several
	twoKinds
	malformed
	malformedHeader
	foreign
	unverified
	unaccepted
	tooLong
	nobody
	expired
	expiredMeanwhile
	reasons
)

var reasonTexts = [reasons]string{
	missing:          "authn: the call carries no credential",
	empty:            "authn: the call carries no credential but an empty header for one",
	several:          "authn: the call carries more than one value of a credential's header; send exactly one",
	twoKinds:         "authn: the call carries credentials in more than one place; send exactly one",
	malformed:        "authn: the Authorization value is not one scheme and one credential",
	malformedHeader:  "authn: the value of a credential's header has characters that no credential has",
	foreign:          "authn: the scheme of the Authorization value is not accepted here",
	unverified:       "authn: the client certificate was not verified; set ClientCAs, and ClientAuth to VerifyClientCertIfGiven or RequireAndVerifyClientCert",
	unaccepted:       "authn: the policy of the method does not accept this scheme",
	tooLong:          "authn: the credential is longer than 8 KiB",
	nobody:           "authn: the verifier returned no principal with a subject, and no error",
	expired:          "authn: the principal has expired",
	expiredMeanwhile: "authn: the principal expired while the call was running",
}

// refusals are the errors of a hook, made once: refusing strangers must be cheap.
type refusals struct {
	challenges []interceptor.ErrorOption
	errs       [reasons]*interceptor.Error
}

func newRefusals(schemes []Scheme) refusals {
	var r refusals
	for _, s := range schemes {
		r.challenges = append(r.challenges, interceptor.WithHeader("WWW-Authenticate", s.challenge))
	}
	for why := none + 1; why < reasons; why++ {
		public := publicRefusal
		if why == expiredMeanwhile {
			public = publicExpired
		}
		r.errs[why] = r.refuse(public, errors.New(reasonTexts[why]))
	}
	return r
}

func (r *refusals) of(why reason) error { return r.errs[why] }

func (r *refusals) refuse(public string, cause error) *interceptor.Error {
	opts := append([]interceptor.ErrorOption{interceptor.WithCause(cause)}, r.challenges...)
	return interceptor.NewError(codes.Unauthenticated, public, opts...)
}

// soon is when a busy verifier may be asked again.
var soon = &errdetails.RetryInfo{RetryDelay: durationpb.New(time.Second)}

// judge makes the answer for an error of the verifier. Its own text and status
// never reach the client: they may come from an identity provider and name
// addresses.
func (h *hook) judge(ctx context.Context, credential string, err error) error {
	if ended := ctx.Err(); ended != nil {
		return ended // the caller is gone or out of time; nothing was decided
	}
	cause := hide(err, credential)
	switch interceptor.StatusOf(err).Code() {
	case codes.Unavailable, codes.DeadlineExceeded: // the latter is a timeout of the verifier's own
		return interceptor.NewError(codes.Unavailable, publicUnavailable, interceptor.WithCause(cause))
	case codes.ResourceExhausted:
		return interceptor.NewError(codes.ResourceExhausted, publicBusy, interceptor.WithCause(cause), interceptor.WithDetails(soon))
	}
	return h.refusals.refuse(publicRefusal, cause)
}
