package policy_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/crosscut-go/crosscut/builtin/policy"
	"github.com/crosscut-go/crosscut/interceptor/interceptortest"
	policyv1 "github.com/crosscut-go/crosscut/proto/crosscut/policy/v1"
)

// sample is a table with something of everything.
func sample(t *testing.T) *policy.Table {
	t.Helper()
	service := describe(t, nil, &policyv1.Policy{
		Schemes: []string{"mtls", "bearer"}, Scopes: []string{"b", "a"}, Roles: []string{"x", "y"}, Condition: "a ||\n`b`",
		MaxRequestBytes: 7, Timeout: durationpb.New(time.Second), Audit: true,
		Rate: &policyv1.Rate{Requests: 1, Key: policyv1.RateKey_RATE_KEY_METHOD},
	})
	hook := policy.New(policy.Route("GET /x|y", policy.Public), policy.Route("GET /gone", policy.Denied))
	return policy.TableOf(hook, interceptortest.NewMethod("GET /x|y"),
		interceptortest.NewMethodOf(service.Methods().Get(0)), interceptortest.NewMethod("GET /forgotten"),
		interceptortest.NewMethod("/crosscut.conformance.v1.ConformanceService/BidiStream"))
}

func TestTableText(t *testing.T) {
	t.Parallel()
	want := []string{
		"METHOD                                                   KIND         REST                                                           ACCESS         DEMANDS",
		"/crosscut.conformance.v1.ConformanceService/BidiStream   bidi stream  POST /v1/conformance:bidi                                      undeclared     -",
		`/policy.test.S/M                                         unary        GET /v1/m/{id}, PUT /p, POST /p, DELETE /p, PATCH /p, HEAD /p  authenticated  ` +
			`"schemes: bearer|mtls, scopes: a+b, roles: x|y, condition: a ||\n` + "`b`" + `, max_request_bytes: 7, timeout: 1s, rate: 1 per 1s, burst 1, by method, audit"`,
		"GET /forgotten                                           route        -                                                              undeclared     -",
		"GET /x|y                                                 route        -                                                              public         -",
		`unused: policy.Route("GET /gone")`,
	}
	got := strings.Split(strings.TrimSpace(sample(t).String()), "\n")
	if len(got) != len(want) {
		t.Fatalf("got %d lines, want %d:\n%s", len(got), len(want), strings.Join(got, "\n"))
	}
	for i := range want {
		if squeeze(got[i]) != squeeze(want[i]) {
			t.Errorf("line %d:\n%s\nwant\n%s", i+1, got[i], want[i])
		}
	}
}

// squeeze leaves how wide columns are to text/tabwriter.
func squeeze(s string) string { return strings.Join(strings.Fields(s), " ") }

func TestTableMarkdown(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	if err := sample(t).WriteMarkdown(&b); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"| Method | Kind | REST | Access | Demands |\n|---|---|---|---|---|\n",
		"| `/policy.test.S/M` | unary | `GET /v1/m/{id}`<br>`PUT /p`<br>`POST /p`",
		`| authenticated | ` + "`schemes: bearer\\|mtls`<br>`scopes: a+b`<br>`roles: x\\|y`<br>",
		"`` \"condition: a \\|\\|\\n`b`\" ``",
		"| `GET /x\\|y` | route |  | public |  |\n",
		"\nDeclared without effect: `policy.Route(\"GET /gone\")`\n",
	} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("%s is not in\n%s", want, b.String())
		}
	}
}

func TestTableJSON(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	table := policy.TableOfServices([]protoreflect.ServiceDescriptor{describe(t, nil, &policyv1.Policy{Roles: []string{"a"}, Condition: "x && y"})})
	if err := table.WriteJSON(&b); err != nil {
		t.Fatal(err)
	}
	const want = `{
  "methods": [
    {
      "method": "/policy.test.S/M",
      "kind": "unary",
      "bindings": [
        "GET /v1/m/{id}",
        "PUT /p",
        "POST /p",
        "DELETE /p",
        "PATCH /p",
        "HEAD /p"
      ],
      "access": "authenticated",
      "roles": [
        [
          "a"
        ]
      ],
      "conditions": [
        "x && y"
      ]
    }
  ]
}
`
	if b.String() != want {
		t.Errorf("got\n%s\nwant\n%s", b.String(), want)
	}
	if table.Err() != nil {
		t.Errorf("got %v, want a table without problems", table.Err())
	}
}

// TestTableWriteFails: a writer that fails is reported.
func TestTableWriteFails(t *testing.T) {
	t.Parallel()
	table := sample(t)
	if table.WriteText(full{}) == nil || table.WriteMarkdown(full{}) == nil || table.WriteJSON(full{}) == nil {
		t.Error("a full disk goes unnoticed")
	}
}

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("full") }

// TestNilPolicy: the policy of a method that nobody declared can be asked, and lets
// nobody in.
func TestNilPolicy(t *testing.T) {
	t.Parallel()
	var p *policy.Policy
	if p.Public() || p.AcceptsScheme("bearer") || p.Access() != policy.AccessUndeclared || p.Audit() || p.Timeout() != 0 || p.MaxRequestBytes() != 0 {
		t.Error("a nil policy grants something")
	}
	if _, ok := p.Rate(); ok {
		t.Error("a nil policy has a rate")
	}
}
