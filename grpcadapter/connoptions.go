package grpcadapter

import (
	"math"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/peer"
)

// callOptions are the options of a call that mean something in process. The
// others concern connections, encodings and retries, of which there are none.
type callOptions struct {
	all       []grpc.CallOption // for those that are told something at the end
	creds     credentials.PerRPCCredentials
	authority string
	maxRecv   int
	maxSend   int
}

// What grpc-go accepts and sends by default, clients and servers alike.
const (
	defaultMaxRecv = 4 << 20
	defaultMaxSend = math.MaxInt32
)

// read reads the options in the order given; the last of a kind counts.
func (o *callOptions) read(opts []grpc.CallOption) {
	o.all, o.maxRecv, o.maxSend = opts, defaultMaxRecv, defaultMaxSend
	for _, opt := range opts {
		switch opt := opt.(type) {
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
	for _, opt := range o.all {
		switch opt := opt.(type) {
		case grpc.HeaderCallOption:
			*opt.HeaderAddr = s.headers()
		case grpc.TrailerCallOption:
			*opt.TrailerAddr = s.trailers()
		case grpc.PeerCallOption:
			*opt.PeerAddr = peer.Peer{Addr: inProcessAddr{}}
		}
	}
}

// finish runs the OnFinish options, once per call.
func (o *callOptions) finish(err error) {
	for _, opt := range o.all {
		if opt, ok := opt.(grpc.OnFinishCallOption); ok {
			opt.OnFinish(err)
		}
	}
}
