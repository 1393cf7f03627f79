package hostile_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"

	"github.com/crosscut-go/crosscut/builtin/authn"
	pb "github.com/crosscut-go/crosscut/proto/crosscut/hostile/v1"
)

// Ids that make the handler of Get misbehave.
const (
	idPanic = "panic"
	idError = "error"
)

// What a failing handler says, which no client may read.
const (
	panicText = "the key of the vault is swordfish-4711"
	errorText = `dial tcp 10.1.2.3:5432: password authentication failed for user "app"`
	password  = "hunter2"
)

// service counts how often a handler ran: of an RPC or of a plain route.
type service struct {
	pb.UnimplementedItemsServiceServer
	handled atomic.Int64
	ended   chan error // what ended the context of Watch, if somebody wants to know
	pace    time.Duration
}

func (s *service) Get(ctx context.Context, req *pb.GetRequest) (*pb.GetResponse, error) {
	s.handled.Add(1)
	switch req.GetId() {
	case idPanic:
		panic(panicText)
	case idError:
		return nil, errors.New(errorText)
	}
	p, _ := authn.From(ctx)
	return &pb.GetResponse{Id: req.GetId(), Principal: p.Subject()}, nil
}

func (s *service) Create(context.Context, *pb.CreateRequest) (*pb.CreateResponse, error) {
	s.handled.Add(1)
	return &pb.CreateResponse{}, nil
}

func (s *service) Delete(context.Context, *pb.DeleteRequest) (*pb.DeleteResponse, error) {
	s.handled.Add(1)
	return &pb.DeleteResponse{}, nil
}

func (s *service) Purge(context.Context, *pb.PurgeRequest) (*pb.PurgeResponse, error) {
	s.handled.Add(1)
	return &pb.PurgeResponse{}, nil
}

// Watch sends count messages, or one at every pace until the client or the server has
// had enough.
func (s *service) Watch(req *pb.WatchRequest, stream grpc.ServerStreamingServer[pb.WatchResponse]) error {
	s.handled.Add(1)
	if req.GetCount() == 0 && s.pace > 0 {
		return s.watchForever(stream)
	}
	for i := range max(1, req.GetCount()) {
		if err := stream.Send(&pb.WatchResponse{Id: fmt.Sprint(i)}); err != nil {
			return err
		}
	}
	return nil
}

func (s *service) watchForever(stream grpc.ServerStreamingServer[pb.WatchResponse]) error {
	ticks := time.NewTicker(s.pace)
	defer ticks.Stop()
	for {
		select {
		case <-stream.Context().Done():
			s.ended <- context.Cause(stream.Context())
			return nil // as careless handlers do
		case <-ticks.C:
			_ = stream.Send(&pb.WatchResponse{Id: "x"}) // whose failure they do not see either
		}
	}
}

func (s *service) Upload(stream grpc.ClientStreamingServer[pb.UploadRequest, pb.UploadResponse]) error {
	s.handled.Add(1)
	return stream.SendAndClose(&pb.UploadResponse{})
}

func (s *service) Chat(grpc.BidiStreamingServer[pb.ChatRequest, pb.ChatResponse]) error {
	s.handled.Add(1)
	return nil
}

func (s *service) Ping(context.Context, *pb.PingRequest) (*pb.PingResponse, error) {
	s.handled.Add(1)
	return &pb.PingResponse{}, nil
}

func (s *service) Search(context.Context, *pb.SearchRequest) (*pb.SearchResponse, error) {
	s.handled.Add(1)
	return &pb.SearchResponse{}, nil
}

// Login fails with the whole request in its error, as careless handlers do.
func (s *service) Login(_ context.Context, req *pb.LoginRequest) (*pb.LoginResponse, error) {
	s.handled.Add(1)
	return nil, fmt.Errorf("no such user: %v, password %s", req, req.GetPassword())
}

func (s *service) File(_ context.Context, req *pb.FileRequest) (*pb.FileResponse, error) {
	s.handled.Add(1)
	return &pb.FileResponse{Name: req.GetName()}, nil
}

func (s *service) Legacy(context.Context, *pb.LegacyRequest) (*pb.LegacyResponse, error) {
	s.handled.Add(1)
	return &pb.LegacyResponse{}, nil
}

// plain is the handler of every plain route.
func (s *service) plain(w http.ResponseWriter, r *http.Request) {
	s.handled.Add(1)
	if r.URL.Query().Get("do") == idPanic {
		panic(panicText)
	}
	_, _ = w.Write([]byte("done\n"))
}

// failing is the plain handler that returns an error.
func (s *service) failing(http.ResponseWriter, *http.Request) error {
	s.handled.Add(1)
	return errors.New(errorText)
}
