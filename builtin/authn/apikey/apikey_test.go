package apikey_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/grpc/codes"

	"github.com/crosscut-go/crosscut/builtin/authn"
	"github.com/crosscut-go/crosscut/builtin/authn/apikey"
	"github.com/crosscut-go/crosscut/interceptor"
	"github.com/crosscut-go/crosscut/interceptor/interceptortest"
)

// A key and its parts. Its owner may read items.
const (
	id     = "shop_abcdefghijkl"
	secret = "MZQX4LFA2PIDLWBQNZ7CVB3LOM"
	key    = id + "_" + secret
)

var service = authn.NewPrincipal("svc-1", authn.WithScopes("items.read"))

func record(t testing.TB) apikey.Record {
	t.Helper()
	r, err := apikey.NewRecord(key, service)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// counting is a store that counts its calls.
type counting struct {
	apikey.Store
	calls atomic.Int64
	ids   []string
}

func (s *counting) Lookup(ctx context.Context, id string) (apikey.Record, bool, error) {
	s.calls.Add(1)
	s.ids = append(s.ids, id)
	return s.Store.Lookup(ctx, id)
}

// call runs a call with these values of the header for keys.
func call(scheme authn.Scheme, values ...string) interceptortest.Phases {
	opts := []interceptortest.CallOption{interceptortest.WithHooks(authn.New(scheme))}
	if values != nil {
		opts = append(opts, interceptortest.WithHeader(apikey.DefaultHeader, values...))
	}
	c, _ := interceptortest.NewCall(opts...)
	return interceptortest.RunPhases(c, nil)
}

func TestConformance(t *testing.T) {
	t.Parallel()
	store := apikey.Static(record(t))
	interceptortest.Run(t, func() interceptor.Hook { return authn.New(apikey.New(store)) },
		interceptortest.WithRequest(interceptortest.Request{Header: http.Header{"X-Api-Key": {key}}, Message: "hello"}))
}

// nearlyRight are keys that differ from the right one by little, and whether the
// store is asked for them: it is wherever they have the form of a key.
var nearlyRight = []struct {
	name, key string
	form      bool
}{
	{"last byte changed", key[:len(key)-1] + "N", true},
	{"first byte changed", "x" + key[1:], true},
	{"cut short by one byte", key[:len(key)-1], true},
	{"upper case", strings.ToUpper(key), true},
	{"lower case", strings.ToLower(key), true},
	{"one byte more", key + "A", true},
	{"unknown id", "shop_000000000000_" + secret, true},
	{"id of another secret", "abcdefghijkl_" + secret, true},
	{"id alone", id, true}, // "shop" and "abcdefghijkl"
	{"id and nothing", id + "_", false},
	{"secret alone", secret, false},
	{"secret without id", "_" + secret, false},
	{"two underscores", id + "__" + secret, true}, // an id may end in one
	{"secret with a dash", key + "-x", false},
	{"id with a plus", "+" + key, false},
	{"padding", key + "=", false},
	{"long id", strings.Repeat("x", 65) + "_" + secret, false},
	{"long secret", id + "_" + strings.Repeat("A", 129), false},
	{"digest", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", false},
}

// TestNearlyRightKeys checks that the work for a wrong key is that for the right
// one: as many look-ups.
func TestNearlyRightKeys(t *testing.T) {
	t.Parallel()
	for _, tt := range nearlyRight {
		store := &counting{Store: apikey.Static(record(t))}
		scheme := apikey.New(store)
		for range 100 {
			got := call(scheme, tt.key)
			err := got.Err
			if interceptor.StatusOf(err).Code() != codes.Unauthenticated || got.Reached {
				t.Fatalf("%s: %v, reached %v; want Unauthenticated", tt.name, err, got.Reached)
			}
			if strings.Contains(err.Error(), secret[:8]) || strings.Contains(err.Error(), "abcdefgh") {
				t.Fatalf("%s: the error %q repeats a part of the key", tt.name, err)
			}
		}
		want := int64(0)
		if tt.form {
			want = 100
		}
		if n := store.calls.Load(); n != want {
			t.Errorf("%s: the store was asked %d times, want %d", tt.name, n, want)
		}
	}
	store := &counting{Store: apikey.Static(record(t))}
	if got := call(apikey.New(store), key); got.Err != nil || store.calls.Load() != 1 || store.ids[0] != id {
		t.Errorf("the right key: %v after looking up %q; want one look-up of the id", got.Err, store.ids)
	}
}

// TestEverywhere checks the right key, a wrong one and a store that is down on every
// transport.
func TestEverywhere(t *testing.T) {
	t.Parallel()
	down := lookup(func(context.Context, string) (apikey.Record, bool, error) {
		return apikey.Record{}, false, errors.New("dial tcp 10.0.0.7:5432: connection refused")
	})
	tests := []struct {
		name  string
		store apikey.Store
		key   string
		code  codes.Code
	}{
		{"right", apikey.Static(record(t)), key, codes.OK},
		{"wrong", apikey.Static(record(t)), key[:len(key)-1] + "N", codes.Unauthenticated},
		{"store down", down, key, codes.Unavailable},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			hooks := []interceptor.Hook{authn.New(apikey.New(tt.store, apikey.Header("X-Shop-Key")))}
			request := interceptortest.Request{Header: http.Header{"X-Shop-Key": {tt.key}}}
			interceptortest.Each(t, hooks, request, func(t *testing.T, got interceptortest.Result) {
				p, _ := authn.Key.Get(got.Call)
				if got.Code != tt.code || got.Reached != (tt.code == codes.OK) || got.Reached && (p.Subject() != "svc-1" || p.Scheme() != "apikey" || !p.HasScope("items.read")) {
					t.Errorf("code %v, principal %v; want %v", got.Code, p, tt.code)
				}
				if text := fmt.Sprint(got.Err, got.Body, got.Header, got.Trailer); got.Code != codes.OK && (strings.Contains(text, secret[:8]) || strings.Contains(text, "10.0.0.7")) {
					t.Errorf("the client got %s", text)
				}
			})
		})
	}
}

type lookup func(ctx context.Context, id string) (apikey.Record, bool, error)

func (f lookup) Lookup(ctx context.Context, id string) (apikey.Record, bool, error) {
	return f(ctx, id)
}

// TestCarelessStores checks records that no store should return.
func TestCarelessStores(t *testing.T) {
	t.Parallel()
	good := record(t)
	tests := []struct {
		name   string
		record apikey.Record
		known  bool
	}{
		{"a record of an unknown id", good, false},
		{"no digest", apikey.Record{ID: id, Principal: service}, true},
		{"no principal", apikey.Record{ID: id, Digest: good.Digest}, true},
		{"expired", apikey.Record{ID: id, Digest: good.Digest, Principal: authn.NewPrincipal("svc-1", authn.WithExpiry(time.Unix(1, 0)))}, true},
	}
	for _, tt := range tests {
		store := lookup(func(context.Context, string) (apikey.Record, bool, error) { return tt.record, tt.known, nil })
		if got := call(apikey.New(store), key); interceptor.StatusOf(got.Err).Code() != codes.Unauthenticated {
			t.Errorf("%s: %v; want Unauthenticated", tt.name, got.Err)
		}
	}
}

// TestStorePanic checks that a store that panics brings no part of a key into a log.
func TestStorePanic(t *testing.T) {
	t.Parallel()
	store := lookup(func(_ context.Context, id string) (apikey.Record, bool, error) { panic("no " + id) })
	got := call(apikey.New(store), key)
	if err := got.Err; interceptor.StatusOf(err).Code() != codes.Internal || strings.Contains(err.Error(), id) {
		t.Errorf("%v; want INTERNAL without the key", err)
	}
}

func TestGenerate(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for range 100 {
		k, r := apikey.Generate("shop_live", service)
		if !strings.HasPrefix(k, r.ID+"_") || !strings.HasPrefix(r.ID, "shop_live_") || len(k)-len(r.ID) != 27 || len(r.ID) != 22 {
			t.Fatalf("the key of id %q has %d bytes", r.ID, len(k))
		}
		if seen[k] || seen[r.ID] {
			t.Fatal("a key or an id came twice")
		}
		seen[k], seen[r.ID] = true, true
		again, err := apikey.NewRecord(k, service)
		if err != nil || again != r {
			t.Fatalf("the record of the key is %v, %v; want that of Generate", again, err)
		}
		if got := call(apikey.New(apikey.Static(r)), k); got.Err != nil {
			t.Fatalf("a new key is refused: %v", got.Err)
		}
	}
}

func TestNewRecordRefuses(t *testing.T) {
	t.Parallel()
	for name, k := range map[string]string{
		"nothing": "", "no id": "_" + secret, "no secret": id + "_", "short secret": id + "_" + secret[:15], "other characters": id + "_" + secret + "!",
	} {
		if r, err := apikey.NewRecord(k, service); err == nil || strings.Contains(err.Error(), secret[:8]) {
			t.Errorf("%s: %v, %v; want an error without the key", name, r, err)
		}
	}
	if _, err := apikey.NewRecord(key, nil); err == nil {
		t.Error("a record of nobody was made")
	}
}

func TestConstructionPanics(t *testing.T) {
	t.Parallel()
	good := record(t)
	tests := map[string]struct {
		want string
		make func()
	}{
		"no store":           {"apikey.New(nil)", func() { apikey.New(nil) }},
		"header with blanks": {"no other meaning", func() { apikey.New(apikey.Static(good), apikey.Header("a b")) }},
		"no record":          {"no record", func() { apikey.Static() }},
		"record without id":  {"record 1", func() { apikey.Static(apikey.Record{Digest: good.Digest, Principal: service}) }},
		"without a digest":   {"no digest", func() { apikey.Static(apikey.Record{ID: id, Principal: service}) }},
		"without a subject":  {"no subject", func() { apikey.Static(apikey.Record{ID: id, Digest: good.Digest}) }},
		"one id twice":       {"two records", func() { apikey.Static(good, good) }},
		"no prefix":          {"apikey.Generate", func() { apikey.Generate("", service) }},
		"long prefix":        {"apikey.Generate", func() { apikey.Generate(strings.Repeat("x", 52), service) }},
		"odd prefix":         {"apikey.Generate", func() { apikey.Generate("a b", service) }},
		"a key of nobody":    {"no subject", func() { apikey.Generate("shop", nil) }},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			defer func() {
				if text, ok := recover().(string); !ok || !strings.Contains(text, tt.want) {
					t.Errorf("panicked with %q; want a text with %q", text, tt.want)
				}
			}()
			tt.make()
		})
	}
}

// FuzzKey checks that no key but the right one is accepted, and that the store gets
// ids that have the form of one.
func FuzzKey(f *testing.F) {
	for _, tt := range nearlyRight {
		f.Add(tt.key)
	}
	f.Add(key)
	good := record(f)
	f.Fuzz(func(t *testing.T, k string) {
		var ids []string
		store := lookup(func(_ context.Context, id string) (apikey.Record, bool, error) {
			ids = append(ids, id)
			return good, true, nil
		})
		got := call(apikey.New(store), k)
		if (got.Err == nil) != (k == key) {
			t.Fatalf("%q: %v", k, got.Err)
		}
		for _, id := range ids {
			if id == "" || len(id) > 64 || strings.Trim(id, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._") != "" {
				t.Fatalf("%q: the store was asked for %q", k, id)
			}
		}
	})
}
