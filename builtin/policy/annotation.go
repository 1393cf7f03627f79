package policy

import (
	"errors"
	"fmt"
	"math"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/known/durationpb"

	policyv1 "github.com/crosscut-go/crosscut/proto/crosscut/policy/v1"
)

// methodOption returns what the .proto says about a method, or nil.
func methodOption(d protoreflect.MethodDescriptor) (*block, error) {
	return readOption(d, &descriptorpb.MethodOptions{}, policyv1.E_Method)
}

// serviceOption returns what the .proto says about a service, or nil.
func serviceOption(d protoreflect.Descriptor) (*block, error) {
	return readOption(d, &descriptorpb.ServiceOptions{}, policyv1.E_Service)
}

// readOption reads the option from its bytes: descriptors that were built at run time
// hold it as a dynamic message or as an unknown field.
func readOption(d protoreflect.Descriptor, options proto.Message, ext protoreflect.ExtensionType) (*block, error) {
	b := &block{
		origin:  fmt.Sprintf("option (%s) of %s", ext.TypeDescriptor().FullName(), d.FullName()),
		service: ext == policyv1.E_Service,
	}
	if err := reparse(d.Options(), options); err != nil {
		return nil, fmt.Errorf("%s: %w", b.origin, err)
	}
	if !proto.HasExtension(options, ext) {
		return nil, nil
	}
	p, ok := proto.GetExtension(options, ext).(*policyv1.Policy)
	if !ok {
		return nil, b.problem("policy", "the option is not a crosscut.policy.v1.Policy")
	}
	if err := errors.Join(b.readAccess(p), b.readLimits(p), b.check()); err != nil {
		return nil, err
	}
	return b, nil
}

func reparse(from protoreflect.ProtoMessage, into proto.Message) error {
	if from == nil {
		return nil
	}
	wire, err := proto.MarshalOptions{AllowPartial: true}.Marshal(from)
	if err != nil {
		return err
	}
	return proto.UnmarshalOptions{AllowPartial: true}.Unmarshal(wire, into)
}

func (b *block) readAccess(p *policyv1.Policy) error {
	b.schemes, b.scopes, b.roles, b.condition = p.GetSchemes(), p.GetScopes(), p.GetRoles(), p.GetCondition()
	b.audit = p.GetAudit()
	if len(p.ProtoReflect().GetUnknown()) > 0 {
		return b.problem("policy", "it has a field that this version does not know; update crosscut, or remove the field")
	}
	switch p.GetAccess() {
	case policyv1.Access_ACCESS_UNSPECIFIED:
	case policyv1.Access_ACCESS_PUBLIC:
		b.access = AccessPublic
	case policyv1.Access_ACCESS_AUTHENTICATED:
		b.access = AccessAuthenticated
	case policyv1.Access_ACCESS_DENIED:
		b.access = AccessDenied
	default:
		return b.problem("access", fmt.Sprintf("the value %d is one that this version does not know; update crosscut, or correct the value", p.GetAccess()))
	}
	return nil
}

func (b *block) readLimits(p *policyv1.Policy) error {
	var problems []error
	if p.GetMaxRequestBytes() > math.MaxInt64 {
		problems = append(problems, b.problem("max_request_bytes", "it is larger than any message; correct it, or leave it out"))
	} else {
		b.maxRequestBytes = int64(p.GetMaxRequestBytes())
	}
	var err error
	if p.GetTimeout() != nil {
		b.timeout, err = b.duration("timeout", p.GetTimeout())
		problems = append(problems, err)
	}
	if p.GetRate() != nil {
		b.rate, err = b.readRate(p.GetRate())
		problems = append(problems, err)
	}
	return errors.Join(problems...)
}

func (b *block) readRate(p *policyv1.Rate) (*Rate, error) {
	r := &Rate{Requests: p.GetRequests(), Per: time.Second, Burst: p.GetBurst()}
	if len(p.ProtoReflect().GetUnknown()) > 0 {
		return nil, b.problem("rate", "it has a field that this version does not know; update crosscut, or remove the field")
	}
	if r.Requests == 0 {
		return nil, b.problem("rate.requests", "it is 0; allow at least 1, or set access to ACCESS_DENIED")
	}
	if r.Burst == 0 {
		r.Burst = r.Requests
	}
	if p.GetPer() != nil {
		var err error
		if r.Per, err = b.duration("rate.per", p.GetPer()); err != nil {
			return nil, err
		}
	}
	switch p.GetKey() {
	case policyv1.RateKey_RATE_KEY_UNSPECIFIED, policyv1.RateKey_RATE_KEY_ADDRESS:
		r.Key = RateByAddress
	case policyv1.RateKey_RATE_KEY_PRINCIPAL:
		r.Key = RateByPrincipal
	case policyv1.RateKey_RATE_KEY_METHOD:
		r.Key = RateByMethod
	default:
		return nil, b.problem("rate.key", fmt.Sprintf("the value %d is one that this version does not know; update crosscut, or correct the value", p.GetKey()))
	}
	return r, nil
}

// duration refuses what would mean "no time at all" or cannot be a time.Duration.
func (b *block) duration(field string, d *durationpb.Duration) (time.Duration, error) {
	if d.CheckValid() != nil || len(d.ProtoReflect().GetUnknown()) > 0 {
		return 0, b.problem(field, "it is not a valid duration; write seconds and nanos of one sign")
	}
	v := d.AsDuration()
	if v <= 0 || v == math.MaxInt64 {
		return 0, b.problem(field, fmt.Sprintf("%s is not a usable duration; write one above zero, or leave it out", v))
	}
	return v, nil
}
