package grpcadapter

import (
	"math"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"
)

// callOptions are the options of a call that mean something in process. The
// others concern connections, encodings and retries, of which there are none.
type callOptions struct {
	headers   []*metadata.MD
	trailers  []*metadata.MD
	peers     []*peer.Peer
	onFinish  []func(error)
	creds     credentials.PerRPCCredentials
	authority string
	maxRecv   int
	maxSend   int
}

// What grpc-go accepts and sends by default, clients and servers alike, except
// that only receiving is limited.
const (
	defaultMaxRecv = 4 << 20
	defaultMaxSend = math.MaxInt32
)

// read reads the options in the order given; of those with one value the last
// counts.
func (o *callOptions) read(opts []grpc.CallOption) {
	o.maxRecv, o.maxSend = defaultMaxRecv, defaultMaxSend
	for _, opt := range opts {
		switch opt := opt.(type) {
		case grpc.HeaderCallOption:
			o.headers = append(o.headers, opt.HeaderAddr)
		case grpc.TrailerCallOption:
			o.trailers = append(o.trailers, opt.TrailerAddr)
		case grpc.PeerCallOption:
			o.peers = append(o.peers, opt.PeerAddr)
		case grpc.OnFinishCallOption:
			o.onFinish = append(o.onFinish, opt.OnFinish)
		case grpc.PerRPCCredsCallOption:
			o.creds = opt.Creds
		case grpc.AuthorityOverrideCallOption:
			o.authority = opt.Authority
		case grpc.MaxRecvMsgSizeCallOption:
			o.maxRecv = opt.MaxRecvMsgSize
		case grpc.MaxSendMsgSizeCallOption:
			o.maxSend = opt.MaxSendMsgSize
		}
	}
}

// report fills in what the caller asked to be told. grpc-go does it once, when
// the call is over, before OnFinish.
func (o *callOptions) report(s *serverTransport) {
	for _, h := range o.headers {
		*h = s.headers()
	}
	for _, t := range o.trailers {
		*t = s.trailers()
	}
	for _, p := range o.peers {
		*p = peer.Peer{Addr: inProcessAddr{}}
	}
}

// finish runs the OnFinish options, once per call.
func (o *callOptions) finish(err error) {
	for _, f := range o.onFinish {
		f(err)
	}
}
