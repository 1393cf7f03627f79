package grpcadapter

import (
	"context"
	"math"
	"strings"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"

	"github.com/crosscut-go/crosscut/internal/httpwire"
)

// callOptions are the options of a call that mean something in process.
type callOptions struct {
	headers  []*metadata.MD
	trailers []*metadata.MD
	peers    []*peer.Peer
	creds    credentials.PerRPCCredentials
	onFinish []func(error)
	maxRecv  int
	maxSend  int
}

// defaultMaxRecv is what a grpc-go client accepts by default.
const defaultMaxRecv = 4 << 20

func readOptions(opts []grpc.CallOption) (*callOptions, error) {
	o := &callOptions{maxRecv: defaultMaxRecv, maxSend: math.MaxInt32}
	for _, opt := range opts {
		switch opt := opt.(type) {
		case grpc.HeaderCallOption:
			o.headers = append(o.headers, opt.HeaderAddr)
		case grpc.TrailerCallOption:
			o.trailers = append(o.trailers, opt.TrailerAddr)
		case grpc.PeerCallOption:
			o.peers = append(o.peers, opt.PeerAddr)
		case grpc.PerRPCCredsCallOption:
			o.creds = opt.Creds
		case grpc.OnFinishCallOption:
			o.onFinish = append(o.onFinish, opt.OnFinish)
		case grpc.MaxRecvMsgSizeCallOption:
			o.maxRecv = opt.MaxRecvMsgSize
		case grpc.MaxSendMsgSizeCallOption:
			o.maxSend = opt.MaxSendMsgSize
		}
	}
	if o.creds != nil && o.creds.RequireTransportSecurity() {
		return nil, o.finish(status.Error(codes.Unauthenticated, "transport: cannot send secure credentials on an insecure connection"))
	}
	return o, nil
}

// finish runs the OnFinish options and returns err.
func (o *callOptions) finish(err error) error {
	for _, f := range o.onFinish {
		f(err)
	}
	o.onFinish = nil
	return err
}

// report fills in what the caller asked to be told.
func (o *callOptions) report(s *serverTransport) {
	header, trailer := s.results()
	for _, h := range o.headers {
		*h = header.Copy()
	}
	for _, t := range o.trailers {
		*t = trailer.Copy()
	}
	for _, p := range o.peers {
		*p = peer.Peer{Addr: inProcessAddr{}}
	}
}

// incoming makes the metadata that the server side receives of what the caller
// sends, filtered as on the wire. Where the caller's stack is the server's own, the
// gateway's advice is taken off; anywhere else its key is refused like any that
// is illegal.
func incoming(ctx context.Context, method string, o *callOptions, sameStack bool) (metadata.MD, error) {
	out, _ := metadata.FromOutgoingContext(ctx) // a copy, with keys in lower case
	md := make(metadata.MD, len(out)+1)
	for key, values := range out {
		switch {
		case sameStack && strings.EqualFold(key, httpwire.AdviceKey):
		case reserved(key):
		case !validMetadataKey(key):
			return nil, status.Errorf(codes.Internal, "header key %q contains illegal characters not in [0-9a-z-_.]", key)
		default:
			for _, v := range values {
				if !strings.HasSuffix(key, "-bin") && !printable(v) {
					return nil, status.Errorf(codes.Internal, "header key %q contains value with non-printable ASCII characters", key)
				}
			}
			md[key] = values
		}
	}
	if o.creds != nil {
		service, _ := splitMethod(method)
		data, err := o.creds.GetRequestMetadata(ctx, "inprocess:///"+service)
		if err != nil {
			if _, ok := status.FromError(err); ok {
				return nil, err
			}
			return nil, status.Errorf(codes.Unauthenticated, "per-RPC creds failed due to error: %v", err)
		}
		for key, value := range data {
			md.Append(key, value)
		}
	}
	return md, nil
}

// reserved tells whether key belongs to the protocol: a client's transport does
// not send it from metadata.
func reserved(key string) bool {
	switch key {
	case "content-type", "user-agent", "te":
		return true
	}
	return strings.HasPrefix(key, ":") || strings.HasPrefix(key, "grpc-")
}

func validMetadataKey(key string) bool {
	for i := 0; i < len(key); i++ {
		c := key[i]
		if !('a' <= c && c <= 'z' || '0' <= c && c <= '9' || c == '.' || c == '-' || c == '_') {
			return false
		}
	}
	return key != ""
}

func printable(v string) bool {
	for i := 0; i < len(v); i++ {
		if v[i] < 0x20 || v[i] > 0x7e {
			return false
		}
	}
	return true
}
