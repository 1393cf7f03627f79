package ecosystem_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/mostynb/go-grpc-compression/zstd"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/encoding/gzip"
	"google.golang.org/grpc/interop"
	testpb "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/grpc/status"
)

// compressing is the service of the interoperability cases with what package
// interop's lacks: it demands compressed requests and compresses answers where
// the client asks for it.
type compressing struct{ testpb.TestServiceServer }

// expect checks that the last request was compressed if the client says so.
func expect(ctx context.Context, want *testpb.BoolValue) error {
	if want != nil && receivedIn(ctx).next() != want.GetValue() {
		return status.Errorf(codes.InvalidArgument, "compressed: %v, expected %v", !want.GetValue(), want.GetValue())
	}
	return nil
}

func (s compressing) UnaryCall(ctx context.Context, in *testpb.SimpleRequest) (*testpb.SimpleResponse, error) {
	if err := expect(ctx, in.GetExpectCompressed()); err != nil {
		return nil, err
	}
	if in.GetResponseCompressed().GetValue() {
		if err := grpc.SetSendCompressor(ctx, gzip.Name); err != nil {
			return nil, err
		}
	}
	return s.TestServiceServer.UnaryCall(ctx, in)
}

func (s compressing) StreamingInputCall(stream testpb.TestService_StreamingInputCallServer) error {
	return s.TestServiceServer.StreamingInputCall(expecting{stream})
}

// expecting checks every request of a stream.
type expecting struct {
	testpb.TestService_StreamingInputCallServer
}

func (s expecting) Recv() (*testpb.StreamingInputCallRequest, error) {
	in, err := s.TestService_StreamingInputCallServer.Recv()
	if err != nil {
		return nil, err
	}
	return in, expect(s.Context(), in.GetExpectCompressed())
}

// StreamingOutputCall compresses the messages that are to be, and no others. That
// takes a prepared message: one of those has the form of the stream before
// SetSendCompressor, and what is prepared in it stays as it is.
func (s compressing) StreamingOutputCall(in *testpb.StreamingOutputCallRequest, stream testpb.TestService_StreamingOutputCallServer) error {
	if err := grpc.SetSendCompressor(stream.Context(), gzip.Name); err != nil {
		return err
	}
	for _, p := range in.GetResponseParameters() {
		out := &testpb.StreamingOutputCallResponse{Payload: interop.ClientNewPayload(testpb.PayloadType_COMPRESSABLE, int(p.GetSize()))}
		var msg any = out
		if !p.GetCompressed().GetValue() {
			plain := new(grpc.PreparedMsg)
			if err := plain.Encode(stream, out); err != nil {
				return err
			}
			msg = plain
		}
		if err := stream.SendMsg(msg); err != nil {
			return err
		}
	}
	return nil
}

// The cases about compression, which package interop lacks, as the specification
// of the cases describes them.
var compressedCases = []struct {
	name    string
	calls   int
	chooses bool // the handler chooses a compressor
	run     func(t *testing.T, client testpb.TestServiceClient, got *received)
}{
	{"client_compressed_unary", 3, false, clientCompressedUnary},
	{"server_compressed_unary", 2, true, serverCompressedUnary},
	{"client_compressed_streaming", 2, false, clientCompressedStreaming},
	{"server_compressed_streaming", 1, true, serverCompressedStreaming},
}

var yes, no = &testpb.BoolValue{Value: true}, &testpb.BoolValue{}

func payload(size int) *testpb.Payload {
	return interop.ClientNewPayload(testpb.PayloadType_COMPRESSABLE, size)
}

func clientCompressedUnary(t *testing.T, client testpb.TestServiceClient, _ *received) {
	for _, c := range []struct {
		expect *testpb.BoolValue
		opts   []grpc.CallOption
		want   codes.Code
	}{
		{yes, nil, codes.InvalidArgument}, // the probe: does the server look at all?
		{yes, []grpc.CallOption{grpc.UseCompressor(gzip.Name)}, codes.OK},
		{no, nil, codes.OK},
	} {
		in := &testpb.SimpleRequest{ExpectCompressed: c.expect, ResponseSize: 314159, Payload: payload(271828)}
		out, err := client.UnaryCall(t.Context(), in, c.opts...)
		if status.Code(err) != c.want || err == nil && len(out.GetPayload().GetBody()) != 314159 {
			t.Errorf("expecting compression %v: %v, %d bytes; want %v", c.expect.GetValue(), err, len(out.GetPayload().GetBody()), c.want)
		}
	}
}

func serverCompressedUnary(t *testing.T, client testpb.TestServiceClient, got *received) {
	for _, compressed := range []*testpb.BoolValue{yes, no} {
		in := &testpb.SimpleRequest{ResponseCompressed: compressed, ResponseSize: 314159, Payload: payload(271828)}
		out, err := client.UnaryCall(t.Context(), in)
		if err != nil || !bytes.Equal(out.GetPayload().GetBody(), make([]byte, 314159)) {
			t.Errorf("%v, %d bytes; want 314159 zeros", err, len(out.GetPayload().GetBody()))
		}
		if flags, _ := got.take(); !slices.Equal(flags, []bool{compressed.GetValue()}) {
			t.Errorf("compressed: %v, want %v", flags, compressed.GetValue())
		}
	}
}

func clientCompressedStreaming(t *testing.T, client testpb.TestServiceClient, _ *received) {
	probe, err := client.StreamingInputCall(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	_ = probe.Send(&testpb.StreamingInputCallRequest{ExpectCompressed: yes, Payload: payload(27182)}) // CloseAndRecv has the status
	if _, err := probe.CloseAndRecv(); status.Code(err) != codes.InvalidArgument {
		t.Errorf("probe: %v, want %v", err, codes.InvalidArgument)
	}
	stream, err := client.StreamingInputCall(t.Context(), grpc.UseCompressor(gzip.Name))
	if err != nil {
		t.Fatal(err)
	}
	// A client of grpc-go compresses every message of a stream but the empty ones.
	for _, in := range []*testpb.StreamingInputCallRequest{
		{ExpectCompressed: yes, Payload: payload(27182)},
		{},
		{ExpectCompressed: yes, Payload: payload(45904)},
	} {
		if err := stream.Send(in); err != nil {
			t.Fatal(err)
		}
	}
	out, err := stream.CloseAndRecv()
	if err != nil || out.GetAggregatedPayloadSize() != 73086 {
		t.Errorf("%d bytes, %v; want 73086", out.GetAggregatedPayloadSize(), err)
	}
}

func serverCompressedStreaming(t *testing.T, client testpb.TestServiceClient, got *received) {
	stream, err := client.StreamingOutputCall(t.Context(), &testpb.StreamingOutputCallRequest{
		ResponseParameters: []*testpb.ResponseParameters{{Compressed: yes, Size: 31415}, {Compressed: no, Size: 92653}},
	})
	if err != nil {
		t.Fatal(err)
	}
	var sizes []int
	for {
		out, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		sizes = append(sizes, len(out.GetPayload().GetBody()))
	}
	if flags, _ := got.take(); !slices.Equal(sizes, []int{31415, 92653}) || !slices.Equal(flags, []bool{true, false}) {
		t.Errorf("sizes %v, compressed %v; want [31415 92653], [true false]", sizes, flags)
	}
}

// The compressed cases pass over the wire. In process nothing is compressed, and
// grpc.Server.ServeHTTP, with a stack or without, lets no handler choose a
// compressor, because it does not keep the client's grpc-accept-encoding.
func TestInteropCompressed(t *testing.T) {
	t.Parallel()
	var names []string
	for _, c := range compressedCases {
		names = append(names, c.name)
		for _, w := range ways {
			if w.name == "Conn" || c.chooses && !w.wire {
				continue
			}
			t.Run(w.name+"/"+c.name, func(t *testing.T) {
				t.Parallel()
				l, seen := newLedger(), new(flags)
				conn := w.start(t, service{
					stack: l.stack(t),
					register: func(r grpc.ServiceRegistrar) {
						testpb.RegisterTestServiceServer(r, compressing{interop.NewTestServer()})
					},
					opts: []grpc.ServerOption{grpc.StatsHandler(new(flags))},
					dial: []grpc.DialOption{grpc.WithStatsHandler(seen)},
				})
				c.run(t, testpb.NewTestServiceClient(conn), &seen.last)
				l.balance(t, c.calls)
			})
		}
	}
	t.Logf("%d cases: %s", len(names), strings.Join(names, ", "))
}

// Compressors that a client names work in every way, and the server answers with
// the same.
func TestCompressors(t *testing.T) {
	t.Parallel()
	for _, name := range []string{gzip.Name, zstd.Name} {
		for _, w := range ways {
			t.Run(w.name+"/"+name, func(t *testing.T) {
				t.Parallel()
				l, seen := newLedger(), new(flags)
				conn := w.start(t, interopService(l.stack(t), service{dial: []grpc.DialOption{grpc.WithStatsHandler(seen)}}))
				client := testpb.NewTestServiceClient(conn)
				mustNotBeFatal(t, func() { interop.DoLargeUnaryCall(t.Context(), client, grpc.UseCompressor(name)) })
				flags, encoding := seen.last.take()
				if w.name != "Conn" && (encoding != name || !slices.Equal(flags, []bool{true})) {
					t.Errorf("the answer is encoded %q, compressed %v; want %q", encoding, flags, name)
				}
				l.balance(t, 1+traffic(t, conn, grpc.UseCompressor(name)))
			})
		}
	}
}
