package decision_test

import (
	"testing"

	"github.com/crosscut-go/crosscut/internal/decision"
)

// TestModel holds the model itself against decisions that were written down by hand.
func TestModel(t *testing.T) {
	t.Parallel()
	server := decision.Server{Schemes: []string{"bearer", "apikey", "mtls"}}
	reader := &decision.Token{Scheme: "bearer", Caller: decision.Caller{Subject: "alice", Scopes: []string{"items.read"}}}
	admin := &decision.Token{Scheme: "bearer", Caller: decision.Caller{Subject: "root", Roles: []string{"admin"}, Claims: map[string]any{"team": "red"}}}
	key := &decision.Token{Scheme: "apikey", Caller: decision.Caller{Subject: "svc-1", Scopes: []string{"items.read"}}}
	late := &decision.Token{Scheme: "bearer", Verdict: decision.Expired}
	down := &decision.Token{Scheme: "bearer", Verdict: decision.Unreachable}
	bearing := func(tokens ...*decision.Token) decision.Sent {
		s := decision.Sent{}
		for _, token := range tokens {
			s.Authorization = append(s.Authorization, decision.Value{Name: "bearer", Token: token})
		}
		return s
	}
	written := func(shape decision.Shape) decision.Sent {
		s := bearing(reader)
		s.Authorization[0].Shape = shape
		return s
	}
	both := bearing(reader)
	both.Key = []decision.Value{{Token: key}}
	read := &decision.Block{Scopes: []string{"items.read"}}
	red := &decision.Expr{Op: decision.TeamIs, Text: "red"}
	never := &decision.Expr{Op: decision.Not, Args: []*decision.Expr{red}}
	for _, test := range []struct {
		name   string
		policy decision.Policy
		sent   decision.Sent
		want   decision.Code
	}{
		{"nothing declared", decision.Policy{}, bearing(admin), 7},
		{"public", decision.Policy{ProtoMethod: &decision.Block{Access: decision.Public}}, bearing(late), 0},
		{"denied", decision.Policy{ProtoMethod: &decision.Block{Access: decision.Denied}}, bearing(admin), 7},
		{"public service in its .proto", decision.Policy{ProtoService: &decision.Block{Access: decision.Public}}, decision.Sent{}, 13},
		{"public service in Go", decision.Policy{GoService: &decision.Block{Access: decision.Public}}, decision.Sent{}, 0},
		{"two truths", decision.Policy{ProtoMethod: read, GoMethod: read}, bearing(reader), 13},
		{"override", decision.Policy{ProtoMethod: &decision.Block{Access: decision.Denied}, GoMethod: &decision.Block{Scopes: read.Scopes, Override: true}}, bearing(reader), 0},
		{"no credential", decision.Policy{ProtoMethod: read}, decision.Sent{}, 16},
		{"the scope", decision.Policy{ProtoMethod: read}, bearing(reader), 0},
		{"mixed case of the scheme", decision.Policy{ProtoMethod: read}, written(decision.MixedCase), 0},
		{"no scheme", decision.Policy{ProtoMethod: read}, written(decision.NoScheme), 16},
		{"two values", decision.Policy{ProtoMethod: read}, bearing(reader, reader), 16},
		{"two kinds", decision.Policy{ProtoMethod: read}, both, 16},
		{"expired", decision.Policy{ProtoMethod: read}, bearing(late), 16},
		{"unreachable", decision.Policy{ProtoMethod: read}, bearing(down), 14},
		{"another scope", decision.Policy{ProtoMethod: read}, bearing(admin), 7},
		{"another scheme", decision.Policy{ProtoMethod: &decision.Block{Schemes: []string{"mtls"}}}, bearing(reader), 16},
		{"service and method", decision.Policy{ProtoService: &decision.Block{Roles: []string{"admin"}}, ProtoMethod: read}, bearing(reader), 7},
		{"access replaces", decision.Policy{ProtoService: &decision.Block{Roles: []string{"admin"}}, ProtoMethod: &decision.Block{Access: decision.Authenticated}}, bearing(reader), 0},
		{"condition true", decision.Policy{ProtoMethod: &decision.Block{Condition: red}}, bearing(admin), 0},
		{"condition false", decision.Policy{ProtoMethod: &decision.Block{Condition: never}}, bearing(admin), 7},
		{"claim missing", decision.Policy{ProtoMethod: &decision.Block{Condition: never}}, bearing(reader), 7},
	} {
		demand, valid := test.policy.OfRPC()
		if got := decision.Decide(&server, demand, valid, &decision.Call{Sent: test.sent, Kind: "unary"}); got.Code != test.want {
			t.Errorf("%s: %v, want %d", test.name, got, test.want)
		}
	}
}
