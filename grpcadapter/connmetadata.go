package grpcadapter

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/crosscut-go/crosscut/internal/httpwire"
)

// incoming makes the metadata that the server side receives of what the caller
// sends: refused and filtered as grpc-go's client and server do between them.
// Where the caller's stack is the server's own, the gateway's advice is taken
// off; anywhere else its key is refused like any that is illegal.
func (d *dispatch) incoming(ctx context.Context, method string, sameStack bool) (metadata.MD, error) {
	md, _ := metadata.FromOutgoingContext(ctx) // a copy, with keys in lower case
	if sameStack {
		delete(md, httpwire.AdviceKey)
	}
	hosts := len(md["host"])
	for key, values := range md {
		if err := checkPair(key, values...); err != nil {
			return nil, err
		}
		if reserved(key) || key == "host" { // the server drops it beside :authority
			delete(md, key)
		}
	}
	if hosts > 1 {
		return nil, status.Errorf(codes.Internal, "num values of host: %d, must only have 1 value as per HTTP/2 spec", hosts)
	}
	if _, has := md["connection"]; has {
		return nil, status.Error(codes.Internal, `the metadata key "connection" makes a request malformed in HTTP/2; leave it out`)
	}
	if md == nil {
		md = metadata.MD{}
	}
	if d.opts.authority != "" {
		md[":authority"] = []string{d.opts.authority}
	}
	return md, d.addCredentials(ctx, method, md)
}

// addCredentials adds what per-RPC credentials give. The connection has no
// transport security, so credentials that need it are refused.
func (d *dispatch) addCredentials(ctx context.Context, method string, md metadata.MD) error {
	creds := d.opts.creds
	if creds == nil {
		return nil
	}
	if creds.RequireTransportSecurity() {
		return status.Error(codes.Unauthenticated, "transport: cannot send secure credentials on an insecure connection")
	}
	service := method[:strings.LastIndexByte(method, '/')]
	ctx = credentials.NewContextWithRequestInfo(ctx, credentials.RequestInfo{Method: method})
	data, err := creds.GetRequestMetadata(ctx, "https://"+d.opts.authority+service)
	if err != nil {
		return credentialsError(err)
	}
	for key, value := range data {
		key = strings.ToLower(key)
		if err := checkPair(key, value); err != nil {
			return err
		}
		if !reserved(key) { // ahead of the caller's own, as the wire has them
			md[key] = append([]string{value}, md[key]...)
		}
	}
	return nil
}

// credentialsError keeps the status of err if credentials may choose it (gRFC
// A54 reserves the others for the server's application), as grpc-go does.
func credentialsError(err error) error {
	st, ok := status.FromError(err)
	if !ok {
		return status.Errorf(codes.Internal, "transport: per-RPC creds failed due to error: %v", err)
	}
	switch st.Code() {
	case codes.InvalidArgument, codes.NotFound, codes.AlreadyExists, codes.FailedPrecondition, codes.Aborted, codes.OutOfRange, codes.DataLoss:
		return status.Errorf(codes.Internal, "transport: received per-RPC creds error with illegal status: %v", err)
	}
	return err
}

// reserved tells whether key belongs to the protocol, so that grpc-go neither
// sends it from metadata nor shows it. Other grpc-… keys, such as grpc-trace-bin,
// do pass.
func reserved(key string) bool {
	switch key {
	case "content-type", "user-agent", "te",
		"grpc-message-type", "grpc-encoding", "grpc-message", "grpc-status", "grpc-timeout":
		return true
	}
	return strings.HasPrefix(key, ":")
}

func checkPairs(md metadata.MD) error {
	for key, values := range md {
		if err := checkPair(key, values...); err != nil {
			return err
		}
	}
	return nil
}

// checkPair refuses the keys and values that grpc-go refuses, with its words.
func checkPair(key string, values ...string) error {
	if err := checkKey(key); err != nil {
		return status.Error(codes.Internal, err.Error())
	}
	if strings.HasSuffix(key, "-bin") {
		return nil
	}
	for _, v := range values {
		if !printable(v) {
			return status.Errorf(codes.Internal, "header key %q contains value with non-printable ASCII characters", key)
		}
	}
	return nil
}

func checkKey(key string) error {
	if key == "" {
		return errors.New("there is an empty key in the header")
	}
	if key[0] == ':' {
		return nil // never sent
	}
	for i := range len(key) {
		c := key[i]
		if !('a' <= c && c <= 'z' || '0' <= c && c <= '9' || c == '.' || c == '-' || c == '_') {
			return fmt.Errorf("header key %q contains illegal characters not in [0-9a-z-_.]", key)
		}
	}
	return nil
}

func printable(v string) bool {
	for i := range len(v) {
		if v[i] < 0x20 || v[i] > 0x7e {
			return false
		}
	}
	return true
}
