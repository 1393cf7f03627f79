package authz_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"

	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/crosscut-go/crosscut/builtin/authn"
	"github.com/crosscut-go/crosscut/builtin/authz"
	"github.com/crosscut-go/crosscut/builtin/policy"
	"github.com/crosscut-go/crosscut/grpcadapter"
	"github.com/crosscut-go/crosscut/httpadapter"
	"github.com/crosscut-go/crosscut/interceptor"
	pb "github.com/crosscut-go/crosscut/proto/crosscut/conformance/v1"
)

// echo answers with the text it is sent.
type echo struct {
	pb.UnimplementedConformanceServiceServer
}

func (echo) Unary(_ context.Context, in *pb.UnaryRequest) (*pb.UnaryResponse, error) {
	return &pb.UnaryResponse{Text: in.GetText()}, nil
}

// A policy for a plain route asks for a role, and one for an RPC compares the message
// with the caller. Policies of RPCs usually stand in the .proto.
func Example() {
	staff := authn.VerifierFunc(func(_ context.Context, token string) (*authn.Principal, error) {
		switch token {
		case "a":
			return authn.NewPrincipal("alice", authn.WithRoles("admin")), nil
		case "b":
			return authn.NewPrincipal("bob"), nil
		}
		return nil, errors.New("unknown token")
	})
	stack := interceptor.MustNew(
		policy.New(
			policy.Route("GET /admin/stats", policy.Roles("admin")),
			policy.Service("crosscut.conformance.v1.ConformanceService", policy.Condition("request.text == principal.subject")),
		),
		authn.New(authn.Bearer(staff)),
		authz.New(),
	)

	mux := httpadapter.NewMux(stack)
	mux.HandleFunc("GET /admin/stats", func(w http.ResponseWriter, _ *http.Request) { _, _ = fmt.Fprint(w, "all is well") })
	for _, token := range []string{"a", "b", "c"} {
		r := httptest.NewRequest(http.MethodGet, "/admin/stats", http.NoBody)
		r.Header.Set("Authorization", "Bearer "+token)
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, r)
		fmt.Println("GET /admin/stats as", token, w.Code)
	}

	srv := grpcadapter.NewServer(stack)
	defer srv.Stop()
	pb.RegisterConformanceServiceServer(srv, echo{})
	client := pb.NewConformanceServiceClient(srv.Conn())
	ctx := metadata.AppendToOutgoingContext(context.Background(), "authorization", "Bearer b")
	for _, name := range []string{"bob", "alice"} {
		_, err := client.Unary(ctx, &pb.UnaryRequest{Text: name})
		fmt.Println("Unary as b for", name, status.Code(err))
	}

	// Output:
	// GET /admin/stats as a 200
	// GET /admin/stats as b 403
	// GET /admin/stats as c 401
	// Unary as b for bob OK
	// Unary as b for alice PermissionDenied
}
