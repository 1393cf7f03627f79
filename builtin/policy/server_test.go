package policy_test

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"

	"github.com/crosscut-go/crosscut/builtin/policy"
	"github.com/crosscut-go/crosscut/grpcadapter"
	"github.com/crosscut-go/crosscut/httpadapter"
	"github.com/crosscut-go/crosscut/interceptor"
	hostilev1 "github.com/crosscut-go/crosscut/proto/crosscut/hostile/v1"
)

// items is a service whose .proto declares every method but Legacy.
type items struct {
	hostilev1.UnimplementedItemsServiceServer
}

func (items) Get(ctx context.Context, _ *hostilev1.GetRequest) (*hostilev1.GetResponse, error) {
	p, _ := policy.Key.From(ctx)
	return &hostilev1.GetResponse{Id: p.Access().String()}, nil
}

func (items) Ping(context.Context, *hostilev1.PingRequest) (*hostilev1.PingResponse, error) {
	return &hostilev1.PingResponse{}, nil
}

func (items) Legacy(context.Context, *hostilev1.LegacyRequest) (*hostilev1.LegacyResponse, error) {
	return &hostilev1.LegacyResponse{}, nil
}

const legacy = "/crosscut.hostile.v1.ItemsService/Legacy"

func itemsServer(t *testing.T, hooks ...interceptor.Hook) *grpcadapter.Server {
	t.Helper()
	srv := grpcadapter.NewServer(interceptor.MustNew(hooks...))
	hostilev1.RegisterItemsServiceServer(srv, items{})
	t.Cleanup(srv.Stop)
	return srv
}

// connect serves over a loopback socket and returns a client of the items.
func connect(t *testing.T, srv *grpcadapter.Server) hostilev1.ItemsServiceClient {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "localhost:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = srv.Serve(listener)
	}()
	conn, err := grpc.NewClient(listener.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = conn.Close()
		srv.Stop()
		<-done
	})
	return hostilev1.NewItemsServiceClient(conn)
}

// authz stands for the hooks that enforce what a caller must have.
func authz() *enforcer { return enforces("access", "schemes", "scopes", "roles", "condition") }

// TestStrictStart: the server lists every method that nobody declared, and does not
// start; declared, it does.
func TestStrictStart(t *testing.T) {
	t.Parallel()
	err := itemsServer(t, policy.New(), authz()).Check()
	if err == nil {
		t.Fatal("the server starts with a method that nobody declared")
	}
	for _, want := range []string{"hook policy refuses method " + legacy, "no policy says who may call it"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want it to contain %q", err, want)
		}
	}
	if strings.Contains(err.Error(), "ItemsService/Get") {
		t.Errorf("got %v, which names a method that is declared", err)
	}
	if err := itemsServer(t, policy.New(policy.Method(legacy, policy.Denied)), authz()).Check(); err != nil {
		t.Errorf("with every method declared: %v", err)
	}
}

// TestTwoPolicies: of two policies of one method only one would be kept, so a server that
// has two does not start, and answers nobody.
func TestTwoPolicies(t *testing.T) {
	t.Parallel()
	const ping = "/crosscut.hostile.v1.ItemsService/Ping"
	outer := policy.New(policy.Method(legacy, policy.Roles("admin")))
	inner := interceptor.As("inner policy", policy.New(policy.Method(legacy, policy.Public)))
	srv := itemsServer(t, outer, inner, authz())
	if err := srv.Check(); err == nil || !strings.Contains(err.Error(), legacy) || !strings.Contains(err.Error(), "only one of the two would be kept") {
		t.Errorf("got %v", err)
	}
	if _, err := hostilev1.NewItemsServiceClient(srv.Conn()).Legacy(t.Context(), &hostilev1.LegacyRequest{}); status.Code(err) != codes.Internal {
		t.Errorf("a caller got %v", err)
	}
	apart := itemsServer(t, interceptor.When(interceptor.Methods(ping), interceptor.As("policy of one", policy.New()), interceptor.As("enforcer of one", authz())),
		interceptor.When(interceptor.Not(interceptor.Methods(ping)), outer, authz()))
	if err := apart.Check(); err != nil {
		t.Errorf("with methods of their own: %v", err)
	}
}

// TestNobodyEnforces: what the .proto asks for keeps a server from starting, by name,
// as long as a hook is missing, from the empty stack on.
func TestNobodyEnforces(t *testing.T) {
	t.Parallel()
	declared := policy.Method(legacy, policy.Denied)
	for _, test := range []struct {
		name  string
		hooks []interceptor.Hook
		want  []string
	}{
		{"empty stack", nil, []string{"ItemsService/Get", "Policy.scopes", "ItemsService/Delete", "Policy.roles", "ItemsService/Ping", "Policy.access", "list policy.New()"}},
		{"policy alone", []interceptor.Hook{policy.New(declared)}, []string{"ItemsService/Get", "Policy.scopes", "authz.New()"}},
		{"without roles", []interceptor.Hook{policy.New(declared), enforces("access", "scopes")}, []string{"ItemsService/Delete", "Policy.roles"}},
		{"authz in a When", []interceptor.Hook{policy.New(declared),
			interceptor.When(interceptor.Not(interceptor.Methods("/crosscut.hostile.v1.ItemsService/Purge")), authz())},
			[]string{"ItemsService/Purge", "Policy.roles"}},
		{"policy in a When", []interceptor.Hook{
			interceptor.When(interceptor.Not(interceptor.Methods("/crosscut.hostile.v1.ItemsService/Purge")), policy.New(declared), authz())},
			[]string{"ItemsService/Purge", "Policy.roles", "list policy.New()"}},
		{"declared in Go", []interceptor.Hook{policy.New(policy.Method(legacy, policy.Condition("true"))), enforces("access", "scopes", "roles")},
			[]string{legacy, "Policy.condition"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			err := itemsServer(t, test.hooks...).Check()
			if err == nil {
				t.Fatal("the server starts")
			}
			for _, want := range test.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("got %v, want it to contain %q", err, want)
				}
			}
		})
	}
}

// TestServed: a server that was allowed to start serves what is declared, and denies
// what is not.
func TestServed(t *testing.T) {
	t.Parallel()
	client := connect(t, itemsServer(t, policy.New(policy.DangerouslyAllowUndeclared()), authz()))
	if got, err := client.Get(t.Context(), &hostilev1.GetRequest{Id: "1"}); err != nil || got.GetId() != "authenticated" {
		t.Errorf("Get: %v, %v, want the policy in the handler", got, err)
	}
	if _, err := client.Ping(t.Context(), &hostilev1.PingRequest{}); err != nil {
		t.Errorf("Ping: %v", err)
	}
	_, err := client.Legacy(t.Context(), &hostilev1.LegacyRequest{})
	if s := status.Convert(err); s.Code() != codes.PermissionDenied || s.Message() != "permission denied" {
		t.Errorf("Legacy: %v, want PERMISSION_DENIED without a reason", err)
	}
}

// TestReplyBeforeAgreement: a cache that is listed before the policy cannot answer for
// it.
func TestReplyBeforeAgreement(t *testing.T) {
	t.Parallel()
	cache := interceptor.FromFuncs("cache", interceptor.Funcs{
		BeforeHandler: func(ctx context.Context, call *interceptor.Call, _ *interceptor.Method) (context.Context, error) {
			return ctx, call.Reply(&hostilev1.PingResponse{})
		},
	})
	client := connect(t, itemsServer(t, cache, policy.New(policy.Method(legacy, policy.Denied)), authz()))
	if _, err := client.Ping(t.Context(), &hostilev1.PingRequest{}); status.Code(err) != codes.Internal {
		t.Errorf("got %v, want INTERNAL", err)
	}
}

// TestRoutes: a route is declared by its exact pattern, and takes nothing from a
// service or another route.
func TestRoutes(t *testing.T) {
	t.Parallel()
	hook := policy.New(policy.Route("GET /open", policy.Public), policy.Route("GET /admin/{id}", policy.Denied),
		policy.Service("a.S", policy.Public), policy.Method("/a.S/N", policy.Public), policy.DangerouslyAllowUndeclared())
	mux := httpadapter.NewMux(interceptor.MustNew(hook))
	for _, pattern := range []string{"GET /open", "POST /open", "GET /admin/{id}", "/a.S/M", "/a.S/N"} {
		mux.HandleFunc(pattern, func(http.ResponseWriter, *http.Request) {})
	}
	for _, test := range []struct {
		method, path string
		want         int
	}{
		{"GET", "/open", 200},
		{"HEAD", "/open", 200},
		{"POST", "/open", 403},
		{"GET", "/admin/1", 403},
		{"POST", "/a.S/M", 403},
		{"POST", "/a.S/N", 403},
		{"GET", "/nowhere", 404},
		{"PUT", "/open", 405},
	} {
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), test.method, test.path, nil))
		if w.Code != test.want {
			t.Errorf("%s %s: %d, want %d", test.method, test.path, w.Code, test.want)
		}
	}
	table := policy.TableOf(hook, mux.Routes()...)
	if got := strings.Join(table.Unused, " "); got != `policy.Service("a.S") policy.Method("/a.S/N")` {
		t.Errorf("unused: %s, want the declarations of RPCs", got)
	}
	if err := table.Err(); err == nil || !strings.Contains(err.Error(), `policy.Route("POST /open", …)`) {
		t.Errorf("got %v, want the undeclared routes", err)
	}
}
