package decision_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/genproto/googleapis/api/annotations"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"

	"github.com/crosscut-go/crosscut/builtin/authn"
	"github.com/crosscut-go/crosscut/builtin/authz"
	"github.com/crosscut-go/crosscut/builtin/policy"
	"github.com/crosscut-go/crosscut/interceptor"
	"github.com/crosscut-go/crosscut/internal/decision"
	"github.com/crosscut-go/crosscut/internal/driver"
	policyv1 "github.com/crosscut-go/crosscut/proto/crosscut/policy/v1"
)

var ops = driver.Get[interceptor.Stack, interceptor.Call, interceptor.Method]()

// rig is the real thing: one stack of the real hooks around many methods, and the tokens that its verifiers know.
type rig struct {
	server decision.Server
	plant  plant
	stack  *interceptor.Stack
	served []*served

	number   map[*decision.Token]int
	texts    []string          // what callers send, by number of the token
	tokens   []*decision.Token // what the verifiers take it for
	found    []*authn.Principal
	verified []*tls.ConnectionState // of a client whose certificate is the token
}

// served is one method, as an RPC and as a plain route.
type served struct {
	*decision.World
	name, path string // of the RPC, and of its REST binding and the route
	desc       protoreflect.MethodDescriptor
	rpc, route *interceptor.Method
	demands    [2]resolved // by via
}

// resolved is what the model says that a method demands.
type resolved struct {
	decision.Demand
	valid bool
}

// batches counts the rigs of the process: descriptors of one name cannot be told apart.
var batches atomic.Int64

func newRig(t testing.TB, server decision.Server, worlds []decision.World, p plant) *rig {
	t.Helper()
	r := &rig{server: server, plant: p, number: map[*decision.Token]int{}}
	for i := range worlds {
		for _, token := range worlds[i].Tokens {
			r.know(token)
		}
	}
	batch := batches.Add(1)
	file := fmt.Sprintf("crosscut.decision.b%d", batch)
	options := []policy.Option{policy.DangerouslyAllowUndeclared()}
	services := []*descriptorpb.ServiceDescriptorProto{}
	for i := range worlds {
		s := &served{World: &worlds[i], name: fmt.Sprintf("/%s.W%d/Call", file, i), path: fmt.Sprintf("/v1/b%d/%d", batch, i)}
		s.demands[viaRPC].Demand, s.demands[viaRPC].valid = s.Policy.OfRPC()
		s.demands[viaRoute].Demand, s.demands[viaRoute].valid = s.Policy.OfRoute()
		enforced := r.plant.misread(s.Policy)
		services = append(services, describe(s, &enforced))
		options = append(options, declarations(s, &enforced)...)
		r.served = append(r.served, s)
	}
	r.describe(t, file, services)
	hooks := append(r.plant.outer(), policy.New(options...), authn.New(r.schemes()...))
	r.stack = interceptor.MustNew(append(append(hooks, r.plant.inner()...), authz.New())...).ReportTo(func(context.Context, *interceptor.Call, error) {})
	return r
}

// describe makes the descriptors of the services and registers them, so that servers find them.
func (r *rig) describe(t testing.TB, name string, services []*descriptorpb.ServiceDescriptorProto) {
	t.Helper()
	file, err := protodesc.NewFile(&descriptorpb.FileDescriptorProto{
		Syntax: proto.String("proto3"), Name: proto.String(name + ".proto"), Package: &name, Service: services,
		Dependency: []string{"crosscut/conformance/v1/conformance.proto", "crosscut/policy/v1/policy.proto"},
	}, protoregistry.GlobalFiles)
	if err != nil {
		t.Fatal(err)
	}
	if err := protoregistry.GlobalFiles.RegisterFile(file); err != nil {
		t.Fatal(err)
	}
	for i, s := range r.served {
		s.desc = file.Services().Get(i).Methods().Get(0)
		s.rpc = ops.NewMethod(s.name, s.desc, uint8(kindOf(s.Kind)))
		s.route = ops.NewRoute("POST " + s.plainPath())
	}
}

func (s *served) plainPath() string { return "/plain" + s.path }

func kindOf(name string) interceptor.Kind {
	for _, k := range []interceptor.Kind{interceptor.Unary, interceptor.ServerStream, interceptor.BidiStream} {
		if k.String() == name {
			return k
		}
	}
	panic("no such kind: " + name)
}

func describe(s *served, p *decision.Policy) *descriptorpb.ServiceDescriptorProto {
	so, mo := &descriptorpb.ServiceOptions{}, &descriptorpb.MethodOptions{}
	if p.ProtoService != nil {
		proto.SetExtension(so, policyv1.E_Service, inProto(p.ProtoService))
	}
	if p.ProtoMethod != nil {
		proto.SetExtension(mo, policyv1.E_Method, inProto(p.ProtoMethod))
	}
	if s.Kind == "unary" {
		proto.SetExtension(mo, annotations.E_Http, &annotations.HttpRule{Pattern: &annotations.HttpRule_Post{Post: s.path}, Body: "*"})
	}
	service, _, _ := strings.Cut(s.name[1:], "/")
	return &descriptorpb.ServiceDescriptorProto{
		Name: proto.String(service[strings.LastIndexByte(service, '.')+1:]), Options: so,
		Method: []*descriptorpb.MethodDescriptorProto{{
			Name: proto.String("Call"), Options: mo,
			InputType:       proto.String(".crosscut.conformance.v1.UnaryRequest"),
			OutputType:      proto.String(".crosscut.conformance.v1.UnaryResponse"),
			ClientStreaming: proto.Bool(s.Kind == "bidi stream"),
			ServerStreaming: proto.Bool(s.Kind != "unary"),
		}},
	}
}

func inProto(b *decision.Block) *policyv1.Policy {
	p := &policyv1.Policy{Access: policyv1.Access(b.Access), Schemes: b.Schemes, Scopes: b.Scopes, Roles: b.Roles}
	if b.Condition != nil {
		p.Condition = b.Condition.String()
	}
	return p
}

func declarations(s *served, p *decision.Policy) []policy.Option {
	var options []policy.Option
	if p.GoService != nil {
		service, _, _ := strings.Cut(s.name[1:], "/")
		options = append(options, policy.Service(service, inGo(p.GoService)...))
	}
	if p.GoMethod != nil {
		options = append(options, policy.Method(s.name, inGo(p.GoMethod)...))
	}
	if p.Route != nil {
		options = append(options, policy.Route("POST "+s.plainPath(), inGo(p.Route)...))
	}
	return options
}

func inGo(b *decision.Block) []policy.Rule {
	var rules []policy.Rule
	switch b.Access {
	case decision.Public:
		rules = append(rules, policy.Public)
	case decision.Authenticated:
		rules = append(rules, policy.Authenticated)
	case decision.Denied:
		rules = append(rules, policy.Denied)
	}
	if len(b.Schemes) > 0 {
		rules = append(rules, policy.Schemes(b.Schemes...))
	}
	if len(b.Scopes) > 0 {
		rules = append(rules, policy.Scopes(b.Scopes...))
	}
	if len(b.Roles) > 0 {
		rules = append(rules, policy.Roles(b.Roles...))
	}
	if b.Condition != nil {
		rules = append(rules, policy.Condition(b.Condition.String()))
	}
	if b.Override {
		rules = append(rules, policy.Override())
	}
	return rules
}

// know makes the token one that the verifiers have an opinion about.
func (r *rig) know(token *decision.Token) {
	if _, known := r.number[token]; known || token == nil {
		return
	}
	text := "tok." + strconv.Itoa(len(r.tokens))
	r.number[token] = len(r.tokens)
	r.texts = append(r.texts, text)
	judged := r.plant.misjudge(*token)
	r.tokens = append(r.tokens, &judged)
	c := &judged.Caller
	options := []authn.PrincipalOption{authn.WithIssuer(c.Issuer), authn.WithScopes(c.Scopes...), authn.WithRoles(c.Roles...), authn.WithClaims(c.Claims)}
	if judged.Verdict == decision.Expired {
		options = append(options, authn.WithExpiry(time.Now().Add(-time.Second)))
	}
	r.found = append(r.found, authn.NewPrincipal(c.Subject, options...))
	certificate := []*x509.Certificate{{Subject: pkix.Name{CommonName: text}}}
	r.verified = append(r.verified, &tls.ConnectionState{PeerCertificates: certificate, VerifiedChains: [][]*x509.Certificate{certificate}})
}

// schemes are those of the server, each with a verifier that looks its tokens up.
func (r *rig) schemes() []authn.Scheme {
	var all []authn.Scheme
	for _, name := range r.server.Schemes {
		verify := authn.VerifierFunc(func(_ context.Context, text string) (*authn.Principal, error) { return r.verify(name, text) })
		switch name {
		case "apikey":
			all = append(all, authn.Header("ApiKey", "X-Api-Key", verify))
		case "mtls":
			var options []authn.SchemeOption
			if r.server.Yields {
				options = append(options, authn.YieldToOthers())
			}
			all = append(all, authn.Certificate("mTLS", func(ctx context.Context, chains [][]*x509.Certificate) (*authn.Principal, error) {
				return verify(ctx, chains[0][0].Subject.CommonName)
			}, options...))
		default:
			all = append(all, authn.Authorization(name, verify))
		}
	}
	return all
}

var (
	errForged      = errors.New("the token is not one of ours")
	errUnreachable = interceptor.NewError(codes.Unavailable, "keys cannot be fetched")
	errTimeout     = status.Error(codes.DeadlineExceeded, "no answer")
	errBusy        = interceptor.NewError(codes.ResourceExhausted, "too many")
)

func (r *rig) verify(scheme, text string) (*authn.Principal, error) {
	number, ok := strings.CutPrefix(text, "tok.")
	i, err := strconv.Atoi(number)
	if !ok || err != nil || i >= len(r.tokens) || r.tokens[i].Scheme != scheme {
		return nil, errForged
	}
	switch r.tokens[i].Verdict {
	case decision.Forged:
		return nil, errForged
	case decision.Nil:
		return nil, nil //nolint:nilnil // what a careless verifier may return
	case decision.Busy:
		return nil, errBusy
	case decision.Unreachable:
		if i%2 == 0 {
			return nil, errUnreachable
		}
		return nil, errTimeout
	}
	return r.found[i], nil
}

// decide returns what the model says of a call of s.
func (r *rig) decide(s *served, v via, call *decision.Call) decision.Outcome {
	d := &s.demands[v]
	if v == viaRoute && call.Kind != "unary" {
		plain := *call
		plain.Kind = "unary"
		call = &plain
	}
	return decision.Decide(&r.server, d.Demand, d.valid, call)
}

// via tells whether a call reaches the RPC or the plain route of the same demand.
type via int

const (
	viaRPC via = iota
	viaRoute
)

// headers spells what is sent.
func (r *rig) headers(s *decision.Sent) http.Header {
	h := http.Header{}
	for _, v := range s.Authorization {
		h["Authorization"] = append(h["Authorization"], r.spell(v.Shape, v.Name, r.texts[r.number[v.Token]]))
	}
	for _, v := range s.Key {
		h["X-Api-Key"] = append(h["X-Api-Key"], strings.TrimPrefix(r.spell(v.Shape, "", r.texts[r.number[v.Token]]), " "))
	}
	for _, d := range s.Decoys {
		h[d.Place] = append(h[d.Place], "Bearer "+r.texts[r.number[d.Token]])
	}
	return h
}

var tooLong = strings.Repeat("x", 8<<10+1)

func (r *rig) spell(shape decision.Shape, name, token string) string {
	switch shape {
	case decision.Plain:
		return name + " " + token
	case decision.MixedCase:
		return strings.ToUpper(name[:1]) + name[1:len(name)-1] + strings.ToUpper(name[len(name)-1:]) + " " + token
	case decision.TwoSpaces:
		return name + "  " + token
	case decision.NoScheme:
		return token
	case decision.NoToken:
		return name
	case decision.Empty:
		return ""
	case decision.Joined:
		return name + " " + token + ", " + name + " " + token
	case decision.BadByte:
		return name + " " + token + "!"
	case decision.TooLong:
		return name + " " + tooLong
	case decision.WrongName:
		return "Digest " + token
	default:
		return name + " realm=" + token
	}
}

// connection returns what the connection says about the client, nil without TLS.
func (r *rig) connection(s *decision.Sent) *tls.ConnectionState {
	if s.Certificate == decision.NoCertificate {
		return nil
	}
	state := r.verified[r.number[s.OfClient]]
	if s.Certificate == decision.UnverifiedCertificate {
		state = &tls.ConnectionState{PeerCertificates: state.PeerCertificates}
	}
	return state
}
