package deptest_test

import "testing"

// The packages of this module as the rules name them. A pattern ending in "/..." means a package and all below it.
const (
	module      = "github.com/crosscut-go/crosscut"
	core        = module + "/interceptor"
	kit         = module + "/interceptor/interceptortest"
	driver      = module + "/internal/driver"
	decision    = module + "/internal/decision"
	racing      = module + "/internal/racing"
	grpcAdapter = module + "/grpcadapter"
	httpAdapter = module + "/httpadapter"
	gateway     = module + "/httpadapter/gateway"
	builtins    = module + "/builtin/..."
	requestID   = module + "/builtin/requestid"
	authz       = module + "/builtin/authz"
	authn       = module + "/builtin/authn"
	jwt         = module + "/builtin/authn/jwt"
	jwks        = module + "/builtin/authn/jwks"
	oidc        = module + "/builtin/authn/oidc"
	logging     = module + "/builtin/logging"
	telemetry   = module + "/builtin/telemetry"
	realIP      = module + "/builtin/realip"
	apiKey      = module + "/builtin/authn/apikey"
	basic       = module + "/builtin/authn/basic"
	mtls        = module + "/builtin/authn/mtls"
	policy      = module + "/builtin/policy"
)

// Modules that some package of ours must not depend on.
const (
	grpc        = "google.golang.org/grpc"
	grpcCodes   = "google.golang.org/grpc/codes"
	grpcStatus  = "google.golang.org/grpc/status"
	grpcGateway = "github.com/grpc-ecosystem/grpc-gateway/..."
	protobuf    = "google.golang.org/protobuf/..."
	otel        = "go.opentelemetry.io/..."
	otelAPI     = "go.opentelemetry.io/otel"
)

// rules are the import boundaries of the module, for code that is not a test.
var rules = []rule{
	{
		packages: []string{core},
		only:     []string{protobuf, grpcCodes, grpcStatus, driver},
		reason: "the core knows no transport: a hook must mean the same on each of them, and whoever imports the core " +
			"to write one must not have to compile a server",
	},
	{
		packages: []string{core},
		never:    []string{grpc, grpcGateway, grpcAdapter, httpAdapter + "/...", builtins},
		reason:   "imports point one way, builtin → interceptor ← adapters, also through other packages",
	},
	{
		packages: []string{driver},
		onlyStd:  true,
		reason:   "it is the private side of a call that the core and every adapter share, so whatever it imports, all do",
	},
	{
		packages: []string{httpAdapter},
		never:    []string{grpc, grpcGateway},
		reason: "a program that only has net/http handlers must not link a gRPC server or the gateway; codes and status " +
			"are the vocabulary of errors and come with the core",
	},
	{
		packages: []string{grpcAdapter, httpAdapter + "/..."},
		never:    []string{builtins},
		reason:   "adapters translate and hold no policy; every concern is a hook that the user lists",
	},
	{
		packages: []string{builtins},
		never:    []string{grpcAdapter, httpAdapter + "/..."},
		reason:   "a concern that sees a transport would behave differently on the others",
	},
	{
		packages: []string{core, builtins, grpcAdapter, httpAdapter + "/..."},
		except:   []string{telemetry},
		never:    []string{otel},
		reason:   "a program that does not trace must not link what tracing needs; the log finds the ids of a span by internal/tracekey",
	},
	{
		packages: []string{telemetry},
		only: []string{
			core, module + "/internal/...", grpcCodes, otelAPI, otelAPI + "/attribute", otelAPI + "/baggage", otelAPI + "/codes",
			otelAPI + "/log", otelAPI + "/metric", otelAPI + "/propagation", otelAPI + "/trace", otelAPI + "/trace/noop",
		},
		reason: "which SDK records and exports is the program's choice",
	},
	{
		packages: []string{decision},
		onlyStd:  true,
		reason:   "it is a second opinion about access, and one that used the code it is compared with would repeat its mistakes",
	},
	{
		packages: []string{module + "/..."},
		except:   []string{kit},
		never:    []string{"testing/..."},
		reason:   "the flags and helpers of tests have no place in a server; only the conformance kit is made for tests",
	},
	{
		packages: []string{module + "/..."},
		never:    []string{racing},
		reason:   "what behaved differently under the race detector would ship as what it never looked at; only tests ask",
	},
}

// exceptions are the only imports from one builtin to another, each for the names it lists.
var exceptions = []exception{
	{from: logging, to: requestID, names: []string{"Key"}, reason: "a record carries the request's id"},
	{from: logging, to: authn, names: []string{"Key"}, reason: "a record carries who called"},
	{from: logging, to: realIP, names: []string{"Key"}, reason: "a record carries the client's address"},
	{from: authn, to: policy, names: []string{"Key"}, reason: "public methods need no credential, and a policy may name the schemes it accepts"},
	{from: apiKey, to: authn, names: []string{"Scheme", "Header", "Verifier", "Principal"}, reason: "it is a scheme of authn and keeps principals"},
	{from: basic, to: authn, names: []string{"Scheme", "Authorization", "Parameter", "Verifier", "Principal", "NewPrincipal", "WithScheme"}, reason: "it is a scheme of authn and makes principals"},
	{from: mtls, to: authn, names: []string{"Scheme", "Certificate", "SchemeOption", "YieldToOthers", "Principal", "NewPrincipal", "WithIssuer", "WithExpiry", "WithScheme"}, reason: "it is a scheme of authn and makes principals"},
	{from: authz, to: policy, names: []string{"Key", "Policy", "Access", "AccessPublic", "AccessAuthenticated"}, reason: "it enforces the policy, which is a value of these types"},
	{from: authz, to: authn, names: []string{"Key", "Principal"}, reason: "it decides about the principal"},
	{from: jwt, to: authn, names: []string{"Principal", "NewPrincipal", "WithIssuer", "WithScopes", "WithRoles", "WithClaims", "WithExpiry", "Verifier"}, reason: "it is a verifier for authn and makes principals"},
	{from: jwks, to: jwt, names: []string{"Key", "KeySet", "ErrUnknownKey"}, reason: "it is a key set for jwt"},
	{from: oidc, to: authn, names: []string{"Principal", "Verifier"}, reason: "it is a verifier for authn"},
	{from: oidc, to: jwt, names: []string{"New", "Verifier", "Option", "Issuer", "Audience", "Algorithms"}, reason: "tokens of a provider are verified by jwt"},
	{from: oidc, to: jwks, names: []string{"New", "Option", "Client"}, reason: "keys of a provider are fetched by jwks"},
}

func TestBoundaries(t *testing.T) {
	t.Parallel()
	g := load(t)
	for _, r := range rules {
		for _, violation := range r.check(g) {
			t.Errorf("%s\n\tRule: %s.", violation, r.reason)
		}
	}
}

// TestRulesNamePackages fails for a rule about a package that was moved or removed: such a rule would hold for ever
// without protecting anything. It is the same for other people's packages that got a new import path.
func TestRulesNamePackages(t *testing.T) {
	t.Parallel()
	g := load(t)
	for _, r := range rules {
		for _, pattern := range r.patterns() {
			if len(g.matching(pattern)) == 0 {
				t.Errorf("a rule names %s, but this module neither has nor imports such a package; correct the rule", pattern)
			}
		}
	}
}

// TestBuiltinsImportBuiltinsForTheirKey holds what a rule about packages cannot say: which names may be used.
func TestBuiltinsImportBuiltinsForTheirKey(t *testing.T) {
	t.Parallel()
	g := load(t)
	for _, from := range g.matching(builtins) {
		for _, to := range g[from].Imports {
			if !matches(builtins, to) {
				continue
			}
			allowed := exceptionFor(from, to)
			for _, name := range g[from].selectors(t, to) {
				if !allowed[name] {
					t.Errorf("%s uses %s.%s, which is not in exceptions.\n\tRule: a builtin imports another only for its "+
						"Key, so that each can be listed, left out and replaced alone.", from, to, name)
				}
			}
		}
	}
}

// TestExceptionsAreNeeded fails for an exception that nothing makes use of, so that the list stays the truth.
func TestExceptionsAreNeeded(t *testing.T) {
	t.Parallel()
	g := load(t)
	for _, e := range exceptions {
		p, ok := g[e.from]
		if !ok || !p.imports(e.to) {
			t.Errorf("%s does not import %s; remove the exception (%s)", e.from, e.to, e.reason)
		}
	}
}
