package grpcadapter

import (
	"slices"
	"testing"

	"google.golang.org/grpc/metadata"
)

func TestIncomingMetadataIsNotCopied(t *testing.T) {
	md := metadata.MD{"authorization": {"one", "two"}, "user-agent": {"test"}}
	ctx := metadata.NewIncomingContext(t.Context(), md)
	if got := incoming(ctx)["authorization"]; len(got) != 2 || &got[0] != &md["authorization"][0] {
		t.Fatalf("incoming returned %q, want the very slice %q: package metadata keeps it under another key than incomingKey (%T)", got, md["authorization"], incomingKey)
	}
	if got := incoming(t.Context()); got != nil {
		t.Errorf("a context without metadata has %v", got)
	}
	r := &rpc{ctx: ctx}
	if allocs := testing.AllocsPerRun(100, func() {
		_, _, _ = r.RequestHeader("authorization"), r.RequestHeader("traceparent"), r.RequestHeader("baggage")
	}); allocs != 0 {
		t.Errorf("reading headers took %v allocations, want none: the hooks of every call read some", allocs)
	}
	if got := r.RequestHeader("authorization"); cap(got) != 2 {
		t.Errorf("the values have room for more (cap %d): appending to them would write into the handler's metadata", cap(got))
	}
}

func TestRequestHeaderInAnySpelling(t *testing.T) {
	for _, md := range []metadata.MD{
		{"authorization": {"token"}},
		{"Authorization": {"token"}},
		{"AUTHORIZATION": {"token"}, "x": {"y"}},
	} {
		r := &rpc{ctx: metadata.NewIncomingContext(t.Context(), md)}
		for range 2 { // what the first call finds out stays true
			for _, key := range []string{"authorization", "Authorization"} {
				if got := r.RequestHeader(key); !slices.Equal(got, []string{"token"}) {
					t.Errorf("%v: header %s is %q, want the token", md, key, got)
				}
			}
			if got := r.RequestHeader("absent"); got != nil {
				t.Errorf("%v: an absent header is %q", md, got)
			}
		}
	}
	// The Kelvin sign folds to k.
	r := &rpc{ctx: metadata.NewIncomingContext(t.Context(), metadata.MD{"\u212aey": {"value"}})}
	if got := r.RequestHeader("key"); !slices.Equal(got, []string{"value"}) {
		t.Errorf("a key that equals another one when folded was not found: %q", got)
	}
}
