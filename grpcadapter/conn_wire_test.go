package grpcadapter_test

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	pb "github.com/crosscut-go/crosscut/proto/crosscut/conformance/v1"
)

// TestConnCourse compares whole calls, good and bad, with the wire.
func TestConnCourse(t *testing.T) {
	t.Parallel()
	compare(t, forKinds("success", func(k kindOfCall) scenario {
		return scenario{
			call:  func(ctx context.Context, n *notes, conn grpc.ClientConnInterface) { k.whole(ctx, n, conn, "a") },
			calls: 1,
		}
	}))
	details, err := status.New(codes.FailedPrecondition, "not now").WithDetails(&errdetails.ErrorInfo{Reason: "busy"})
	if err != nil {
		t.Fatal(err)
	}
	for name, fail := range map[string]error{
		"status":   details.Err(),
		"untyped":  errors.New("secret"),
		"canceled": context.Canceled,
		"deadline": context.DeadlineExceeded,
		"ok":       status.Error(codes.OK, ""),
	} {
		compare(t, forKinds("fails with "+name, func(k kindOfCall) scenario {
			return scenario{
				serve: func(_ *notes, s *service) {
					everyMethod(s, func(context.Context, func(string) error) error { return fail })
				},
				call:  func(ctx context.Context, n *notes, conn grpc.ClientConnInterface) { k.whole(ctx, n, conn, "a") },
				calls: 1,
			}
		}))
	}
	compare(t, forKinds("panic", func(k kindOfCall) scenario {
		return scenario{
			serve: func(_ *notes, s *service) {
				everyMethod(s, func(context.Context, func(string) error) error { panic("secret") })
			},
			call:  func(ctx context.Context, n *notes, conn grpc.ClientConnInterface) { k.whole(ctx, n, conn, "a") },
			calls: 1,
		}
	}))
	compare(t, forKinds("no message, no error", func(k kindOfCall) scenario {
		return scenario{
			serve: func(_ *notes, s *service) {
				everyMethod(s, func(context.Context, func(string) error) error { return nil })
			},
			call:  func(ctx context.Context, n *notes, conn grpc.ClientConnInterface) { k.whole(ctx, n, conn, "a") },
			calls: 1,
		}
	}))
}

// TestConnHeaders compares what becomes of headers and trailers.
func TestConnHeaders(t *testing.T) {
	t.Parallel()
	md := metadata.Pairs("x-a", "1", "x-a", "2", "x-bin", "\x00\xff", "grpc-status", "13", "content-type", "text/html")
	cases := map[string]func(ctx context.Context, n *notes, send func(string) error) error{
		"all at once": func(ctx context.Context, n *notes, send func(string) error) error {
			n.server("SetHeader %s", show(grpc.SetHeader(ctx, md)))
			n.server("SetHeader nil %s", show(grpc.SetHeader(ctx, nil)))
			n.server("SendHeader %s", show(grpc.SendHeader(ctx, metadata.Pairs("x-b", "3"))))
			n.server("SendHeader again %s", show(grpc.SendHeader(ctx, metadata.Pairs("x-c", "4"))))
			n.server("SetHeader late %s", show(grpc.SetHeader(ctx, metadata.Pairs("x-d", "5"))))
			n.server("SetTrailer %s", show(grpc.SetTrailer(ctx, md)))
			err := send("a")
			n.server("SetTrailer more %s", show(grpc.SetTrailer(ctx, metadata.Pairs("x-t", "6"))))
			return err
		},
		"with the message": func(ctx context.Context, n *notes, send func(string) error) error {
			n.server("SetHeader %s", show(grpc.SetHeader(ctx, md)))
			return send("a")
		},
		"with the error": func(ctx context.Context, n *notes, _ func(string) error) error {
			n.server("SetHeader %s", show(grpc.SetHeader(ctx, md)))
			n.server("SetTrailer %s", show(grpc.SetTrailer(ctx, md)))
			return status.Error(codes.NotFound, "gone")
		},
		"trailers alone": func(ctx context.Context, n *notes, _ func(string) error) error {
			n.server("SetTrailer %s", show(grpc.SetTrailer(ctx, md)))
			return status.Error(codes.NotFound, "gone")
		},
		"sent, then the error": func(ctx context.Context, n *notes, _ func(string) error) error {
			n.server("SendHeader %s", show(grpc.SendHeader(ctx, md)))
			return status.Error(codes.NotFound, "gone")
		},
	}
	for name, handle := range cases {
		compare(t, forKinds(name, func(k kindOfCall) scenario {
			return scenario{
				serve: func(n *notes, s *service) {
					everyMethod(s, func(ctx context.Context, send func(string) error) error { return handle(ctx, n, send) })
				},
				call:  func(ctx context.Context, n *notes, conn grpc.ClientConnInterface) { k.whole(ctx, n, conn, "a") },
				calls: 1,
			}
		}))
	}
}

// TestConnStreamHeaders compares the methods of a server stream, which judge
// what package grpc does not.
func TestConnStreamHeaders(t *testing.T) {
	t.Parallel()
	compare(t, []scenario{{
		name: "illegal",
		serve: func(n *notes, s *service) {
			s.bidiStream = func(ss bidiStreamServer) error {
				for _, md := range []metadata.MD{{"X-Upper": {"1"}}, {"": {"1"}}, {"x y": {"1"}}, {"x-a": {"\n"}}, {"x-bin": {"\n"}}, {":path": {"/"}}} {
					n.server("SetHeader %v", show(ss.SetHeader(md)))
				}
				n.server("SendHeader %v", show(ss.SendHeader(metadata.MD{"X-Upper": {"1"}})))
				n.server("SendHeader %v", show(ss.SendHeader(metadata.MD{"x-ok": {"1"}})))
				return nil
			}
		},
		call: func(ctx context.Context, n *notes, conn grpc.ClientConnInterface) {
			kindsOfCall[3].whole(ctx, n, conn, "a")
		},
		calls: 1,
	}, {
		name: "before any message",
		serve: func(n *notes, s *service) {
			s.bidiStream = func(ss bidiStreamServer) error {
				n.server("SendHeader %v", show(ss.SendHeader(metadata.Pairs("x-early", "1"))))
				_, err := ss.Recv() // which the client sends only when it has the header
				n.server("Recv %v", show(err))
				return nil
			}
		},
		call: func(ctx context.Context, n *notes, conn grpc.ClientConnInterface) {
			ss, err := pb.NewConformanceServiceClient(conn).BidiStream(ctx)
			n.client("open %v", show(err))
			header, err := ss.Header()
			n.client("Header %s %v", showMD(header), show(err))
			n.client("Send %v", show(ss.Send(&pb.BidiStreamRequest{})))
			_, err = ss.Recv()
			n.client("Recv %v", show(err))
		},
		calls: 1,
	}})
}

// TestConnEncoding compares messages that cannot be encoded and messages that
// are too large, on either side.
func TestConnEncoding(t *testing.T) {
	t.Parallel()
	big := strings.Repeat("x", 100)
	cases := []struct {
		name    string
		server  []grpc.ServerOption
		options []grpc.CallOption
		text    string
		reply   string

		clientFails bool
	}{
		{"unencodable reply", nil, nil, "a", "\xff", false},
		{"unencodable request", nil, nil, "\xff", "", true},
		{"reply over the client's limit", nil, []grpc.CallOption{grpc.MaxCallRecvMsgSize(10)}, "a", big, false},
		{"request over the client's limit", nil, []grpc.CallOption{grpc.MaxCallSendMsgSize(10)}, big, "", true},
		{"request over the server's limit", []grpc.ServerOption{grpc.MaxRecvMsgSize(10)}, nil, big, "", false},
	}
	for _, c := range cases {
		compare(t, forKinds(c.name, func(k kindOfCall) scenario {
			calls := 1
			if c.clientFails && k.name == "unary" {
				calls = -1 // over the wire the server may see the call begin
			}
			return scenario{
				opts: c.server,
				serve: func(n *notes, s *service) {
					if c.text == "a" {
						everyMethod(s, func(_ context.Context, send func(string) error) error { return send(c.reply) })
					}
				},
				call: func(ctx context.Context, n *notes, conn grpc.ClientConnInterface) {
					k.whole(ctx, n, conn, c.text, c.options...)
				},
				calls: calls,
			}
		}))
	}
	compare(t, []scenario{{
		name: "unencodable second reply",
		serve: func(n *notes, s *service) {
			s.serverStream = func(_ *pb.ServerStreamRequest, ss serverStreamServer) error {
				n.server("Send %v", show(ss.Send(&pb.ServerStreamResponse{Text: "a"})))
				n.server("Send %v", show(ss.Send(&pb.ServerStreamResponse{Text: "\xff"})))
				return nil
			}
		},
		call: func(ctx context.Context, n *notes, conn grpc.ClientConnInterface) {
			kindsOfCall[1].whole(ctx, n, conn, "a")
		},
		calls: 1,
	}})
}

// TestConnCardinality compares calls with too few and too many messages.
func TestConnCardinality(t *testing.T) {
	t.Parallel()
	bidi := &grpc.StreamDesc{ClientStreams: true, ServerStreams: true}
	open := func(name string, desc *grpc.StreamDesc, full string, requests int, kind func() kindOfCall) scenario {
		return scenario{name: name, calls: 1, call: func(ctx context.Context, n *notes, conn grpc.ClientConnInterface) {
			k := kind()
			stream, err := conn.NewStream(ctx, desc, full)
			n.client("open %v", show(err))
			for range requests {
				_ = stream.SendMsg(k.request("a")) // io.EOF depends on how far the server is
			}
			n.client("CloseSend %v", show(stream.CloseSend()))
			for range 4 {
				out := k.reply()
				if err := stream.RecvMsg(out); err != nil {
					n.client("RecvMsg %v", show(err)) // what follows an error is nobody's concern
					break
				}
				n.client("RecvMsg %s", textOf(out))
			}
		}}
	}
	unary := func() kindOfCall { return kindsOfCall[0] }
	server := func() kindOfCall { return kindsOfCall[1] }
	client := func() kindOfCall { return kindsOfCall[2] }
	twice := open("two replies of a client stream", &grpc.StreamDesc{ClientStreams: true}, clientName, 1, client)
	twice.serve = func(_ *notes, s *service) {
		s.clientStream = func(ss clientStreamServer) error {
			_ = ss.SendMsg(&pb.ClientStreamResponse{Text: "one"})
			return ss.SendMsg(&pb.ClientStreamResponse{Text: "two"})
		}
	}
	compare(t, []scenario{
		open("no request to unary", bidi, unaryName, 0, unary),
		open("one request to unary, streaming", bidi, unaryName, 1, unary),
		open("two requests to unary", bidi, unaryName, 2, unary),
		open("no request to a server stream", bidi, serverName, 0, server),
		open("two requests to a server stream", bidi, serverName, 2, server),
		open("unary client of a server stream", &grpc.StreamDesc{}, serverName, 1, server),
		open("unary client of a client stream", &grpc.StreamDesc{}, clientName, 1, client),
		twice,
		{name: "Invoke of a stream", calls: 1, call: func(ctx context.Context, n *notes, conn grpc.ClientConnInterface) {
			out := &pb.ClientStreamResponse{}
			n.client("%v %v", show(conn.Invoke(ctx, clientName, &pb.ClientStreamRequest{Text: "a"}, out)), out.GetText())
		}},
	})
}

// TestConnUnknown compares methods that do not exist.
func TestConnUnknown(t *testing.T) {
	t.Parallel()
	for name, calls := range map[string]int{
		"/crosscut.conformance.v1.ConformanceService/None": 1, "/no.Service/None": 1,
		"no.Service/None": 0, "/None": 0, "None": 0, "": 0, "/": 0, "//": 1, "/a/b/c": 1,
	} {
		compare(t, []scenario{{name: "unary " + name, calls: calls, call: func(ctx context.Context, n *notes, conn grpc.ClientConnInterface) {
			n.client("Invoke %v", show(conn.Invoke(ctx, name, &pb.UnaryRequest{}, &pb.UnaryResponse{})))
		}}, {name: "stream " + name, calls: calls, call: func(ctx context.Context, n *notes, conn grpc.ClientConnInterface) {
			stream, err := conn.NewStream(ctx, &kindsOfCall[3].desc, name)
			if err == nil {
				err = stream.RecvMsg(&pb.BidiStreamResponse{})
			}
			n.client("RecvMsg %v", show(err))
		}}})
	}
}

// TestConnMisuse compares what a client stream answers to misuse.
func TestConnMisuse(t *testing.T) {
	t.Parallel()
	compare(t, []scenario{{
		name: "SendMsg after CloseSend",
		serve: func(_ *notes, s *service) {
			s.bidiStream = func(ss bidiStreamServer) error {
				<-ss.Context().Done()
				return nil
			}
		},
		call: func(ctx context.Context, n *notes, conn grpc.ClientConnInterface) {
			stream, err := pb.NewConformanceServiceClient(conn).BidiStream(ctx)
			n.client("open %v", show(err))
			n.client("CloseSend %v %v", show(stream.CloseSend()), show(stream.CloseSend()))
			n.client("Send %v", show(stream.Send(&pb.BidiStreamRequest{})))
			_, err = stream.Recv()
			n.client("Recv %v", show(err))
		},
		calls: 1,
	}, {
		name: "SendMsg of what cannot be sent",
		serve: func(_ *notes, s *service) {
			s.bidiStream = func(ss bidiStreamServer) error {
				<-ss.Context().Done()
				return nil
			}
		},
		call: func(ctx context.Context, n *notes, conn grpc.ClientConnInterface) {
			stream, err := pb.NewConformanceServiceClient(conn).BidiStream(ctx)
			n.client("open %v", show(err))
			n.client("Send %v", status.Code(stream.SendMsg("text")))
			n.client("again %v", show(stream.Send(&pb.BidiStreamRequest{})))
			_, err = stream.Recv()
			n.client("Recv %v", status.Code(err))
		},
		calls: 1,
	}, {
		name: "nil messages",
		call: func(ctx context.Context, n *notes, conn grpc.ClientConnInterface) {
			stream, err := pb.NewConformanceServiceClient(conn).BidiStream(ctx)
			n.client("open %v", show(err))
			n.client("SendMsg %v", show(stream.SendMsg(nil)))
			n.client("Send %v", show(stream.Send(nil)))
			n.client("CloseSend %v", show(stream.CloseSend()))
			for range 3 {
				out, err := stream.Recv()
				n.client("Recv %v %v", show(err), out.GetText())
			}
		},
		calls: 1,
	}})
}

// TestConnFlow sends far more messages than either side listens to at first, as
// both sides of a wire may.
func TestConnFlow(t *testing.T) {
	t.Parallel()
	const many = 500
	compare(t, []scenario{{
		name: "both send first",
		serve: func(n *notes, s *service) {
			s.bidiStream = func(ss bidiStreamServer) error {
				for i := range int32(many) {
					if err := ss.Send(&pb.BidiStreamResponse{Index: i}); err != nil {
						return err
					}
				}
				for i := range int32(many) {
					if in, err := ss.Recv(); err != nil || in.GetIndex() != i {
						n.server("Recv %v %v, want %v", in, err, i)
						return err
					}
				}
				_, err := ss.Recv()
				n.server("Recv %v", show(err))
				return nil
			}
		},
		call: func(ctx context.Context, n *notes, conn grpc.ClientConnInterface) {
			stream, err := pb.NewConformanceServiceClient(conn).BidiStream(ctx)
			n.client("open %v", show(err))
			for i := range int32(many) {
				if err := stream.Send(&pb.BidiStreamRequest{Index: i}); err != nil {
					n.client("Send %v", show(err))
					return
				}
			}
			n.client("CloseSend %v", show(stream.CloseSend()))
			for i := range int32(many) {
				if out, err := stream.Recv(); err != nil || out.GetIndex() != i {
					n.client("Recv %v %v, want %v", out, err, i)
					return
				}
			}
			_, err = stream.Recv()
			n.client("Recv %v", show(err))
		},
		calls: 1,
	}, {
		name: "the end comes after all messages",
		serve: func(_ *notes, s *service) {
			s.serverStream = func(_ *pb.ServerStreamRequest, ss serverStreamServer) error {
				for i := range int32(many) {
					if err := ss.Send(&pb.ServerStreamResponse{Index: i}); err != nil {
						return err
					}
				}
				return status.Error(codes.Aborted, "enough")
			}
		},
		call: func(ctx context.Context, n *notes, conn grpc.ClientConnInterface) {
			stream, err := pb.NewConformanceServiceClient(conn).ServerStream(ctx, &pb.ServerStreamRequest{})
			n.client("open %v", show(err))
			got := 0
			for err == nil {
				if _, err = stream.Recv(); err == nil {
					got++
				}
			}
			n.client("got %d, then %v", got, show(err))
		},
		calls: 1,
	}, {
		name: "messages larger than the window",
		call: func(ctx context.Context, n *notes, conn grpc.ClientConnInterface) {
			stream, err := pb.NewConformanceServiceClient(conn).BidiStream(ctx)
			n.client("open %v", show(err))
			text := strings.Repeat("x", 200<<10)
			for range 3 {
				n.client("Send %v", show(stream.Send(&pb.BidiStreamRequest{Text: text})))
				out, err := stream.Recv()
				n.client("Recv %d %v", len(out.GetText()), show(err))
			}
			n.client("CloseSend %v", show(stream.CloseSend()))
			_, err = stream.Recv()
			n.client("Recv %v", err == io.EOF) //nolint:errorlint // grpc-go promises this very value
		},
		calls: 1,
	}})
}
