package basic_test

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/bcrypt"
	"google.golang.org/grpc/codes"

	"github.com/crosscut-go/crosscut/builtin/authn"
	"github.com/crosscut-go/crosscut/builtin/authn/basic"
	"github.com/crosscut-go/crosscut/interceptor"
	"github.com/crosscut-go/crosscut/interceptor/interceptortest"
)

const password = "correct horse: battery staple"

// hash is a cheap hash for tests.
func hash(t testing.TB, password string) []byte {
	t.Helper()
	h, err := bcrypt.GenerateFromPassword([]byte(password), bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func users(t testing.TB) basic.Store {
	t.Helper()
	return basic.Static(map[string]basic.User{
		"alice":  {Hash: hash(t, password)},
		"jürgen": {Hash: hash(t, "Grüße 🔑"), Principal: authn.NewPrincipal("j", authn.WithRoles("admin"))},
		"long":   {Hash: hash(t, strings.Repeat("p", 72))},
	})
}

func value(id, password string) string { return raw(id + ":" + password) }

func raw(pair string) string { return "Basic " + base64.StdEncoding.EncodeToString([]byte(pair)) }

// call runs a call with this value of Authorization.
func call(hook interceptor.Hook, value string) (*interceptor.Call, interceptortest.Phases) {
	c, _ := interceptortest.NewCall(interceptortest.WithHooks(hook), interceptortest.WithHeader("Authorization", value))
	return c, interceptortest.RunPhases(c, nil)
}

// Tests that hash are not parallel: the process computes few hashes at once.

func TestConformance(t *testing.T) {
	store := users(t)
	interceptortest.Run(t, func() interceptor.Hook {
		hook := authn.New(basic.New(store))
		if _, got := call(hook, value("alice", password)); got.Err != nil {
			t.Fatal(got.Err)
		}
		return hook // with the password remembered, for calls at the same time
	}, interceptortest.WithRequest(interceptortest.Request{Header: http.Header{"Authorization": {value("alice", password)}}, Message: "hello"}))
}

func TestPasswords(t *testing.T) {
	hook := authn.New(basic.New(users(t)))
	for _, tt := range []struct{ value, subject string }{
		{value("alice", password), "alice"},
		{"bAsIc " + strings.TrimPrefix(value("alice", password), "Basic "), "alice"},
		{value("jürgen", "Grüße 🔑"), "j"},
		{value("long", strings.Repeat("p", 72)), "long"},
	} {
		for range 2 { // the second time from memory
			c, got := call(hook, tt.value)
			if p, _ := authn.Key.Get(c); got.Err != nil || p.Subject() != tt.subject || p.Scheme() != "basic" {
				t.Errorf("%v, %v; want %s by basic", p, got.Err, tt.subject)
			}
		}
	}
}

// malformed are values that are refused before anybody is looked up.
var malformed = map[string]string{
	"no colon":              raw("alice"),
	"empty user":            raw(":" + password),
	"empty password":        raw("alice:"),
	"a colon alone":         raw(":"),
	"NUL":                   raw("alice:\x00" + password),
	"NUL behind":            raw("alice:" + password + "\x00"),
	"line break":            raw("alice\r\n:" + password),
	"delete":                raw("alice\x7f:" + password),
	"control of Latin 1":    raw("alice\u0085:" + password),
	"not UTF-8":             raw("alice:\xff\xfe"),
	"Latin 1":               raw("j\xfcrgen:Gr\xfc\xdfe"),
	"password of 73 bytes":  raw("long:" + strings.Repeat("p", 73)),
	"password of 8 KiB":     raw("long:" + strings.Repeat("p", 6000)),
	"user of 256 bytes":     raw(strings.Repeat("u", 256) + ":p"),
	"no padding":            strings.TrimRight(raw("alice:pp"), "="),
	"too much padding":      raw("alice:pp") + "=",
	"URL alphabet":          "Basic _-8=",
	"other characters":      "Basic ~~~~",
	"bits left over":        "Basic YTpiYh==", // "a:bb" is YTpiYg==
	"not encoded":           "Basic alice",
	"with a comma":          value("alice", password) + ", " + value("alice", password),
	"with a parameter":      value("alice", password) + ` realm="x"`,
	"nothing after Basic":   "Basic",
	"a blank after Basic":   "Basic ",
	"an empty value":        "",
	"the pair in the clear": "Basic alice:" + password,
}

func TestMalformed(t *testing.T) {
	t.Parallel()
	store := lookup(func(context.Context, string) (basic.User, bool, error) {
		panic("a malformed credential reached the store")
	})
	hook := authn.New(basic.New(store, basic.Realm("the shop")))
	for name, v := range malformed {
		_, got := call(hook, v)
		st := interceptor.StatusOf(got.Err)
		if st.Code() != codes.Unauthenticated || st.Message() != "a valid credential is required" || got.Reached {
			t.Errorf("%s: %v; want Unauthenticated", name, got.Err)
		}
		if challenge := got.Header.Get("WWW-Authenticate"); challenge != `Basic realm="the shop", charset="UTF-8"` {
			t.Errorf("%s: WWW-Authenticate %q", name, challenge)
		}
		checkText(t, got.Err)
	}
}

type lookup func(ctx context.Context, id string) (basic.User, bool, error)

func (f lookup) Lookup(ctx context.Context, id string) (basic.User, bool, error) { return f(ctx, id) }

// checkText looks for parts of the password, as it is and as it travels.
func checkText(t *testing.T, err error) {
	t.Helper()
	for _, s := range []string{password, "Gr\xfc", strings.TrimPrefix(value("alice", password), "Basic ")} {
		for i := 0; i+8 <= len(s); i++ {
			if strings.Contains(fmt.Sprintf("%v %+v", err, err), s[i:i+8]) {
				t.Errorf("the error %q repeats the credential", err)
				return
			}
		}
	}
}

// TestEverywhere checks right and wrong passwords, and a store that is down, on every
// transport.
func TestEverywhere(t *testing.T) {
	down := lookup(func(context.Context, string) (basic.User, bool, error) {
		return basic.User{}, false, errors.New("dial tcp 10.0.0.7:5432: connection refused")
	})
	tests := []struct {
		name  string
		store basic.Store
		value string
		code  codes.Code
	}{
		{"right", users(t), value("alice", password), codes.OK},
		{"wrong password", users(t), value("alice", password+"x"), codes.Unauthenticated},
		{"unknown user", users(t), value("bob", password), codes.Unauthenticated},
		{"user in another case", users(t), value("Alice", password), codes.Unauthenticated},
		{"store down", down, value("alice", password), codes.Unavailable},
	}
	for _, tt := range tests {
		hooks := []interceptor.Hook{authn.New(basic.New(tt.store))}
		request := interceptortest.Request{Header: http.Header{"Authorization": {tt.value}}}
		interceptortest.Each(t, hooks, request, func(t *testing.T, got interceptortest.Result) {
			if got.Code != tt.code || got.Reached != (tt.code == codes.OK) {
				t.Errorf("%s: code %v, reached %v; want %v", tt.name, got.Code, got.Reached, tt.code)
			}
			checkText(t, errors.Join(got.Err, errors.New(got.Body), got.Call.Err()))
			if strings.Contains(fmt.Sprint(got.Err, got.Body), "10.0.0.7") {
				t.Errorf("the client got %v %s", got.Err, got.Body)
			}
		})
	}
}

// TestStoredHashThatIsNone checks that a user without a usable hash is refused, with
// whatever password.
func TestStoredHashThatIsNone(t *testing.T) {
	for _, h := range []string{"", password, "$2a$", "$argon2id$v=19$m=65536,t=3,p=4$c2FsdA$aGFzaA"} {
		store := lookup(func(context.Context, string) (basic.User, bool, error) { return basic.User{Hash: []byte(h)}, true, nil })
		if _, got := call(authn.New(basic.New(store)), value("alice", password)); got.Err == nil || !strings.Contains(got.Err.Error(), "make it with basic.Hash") {
			t.Errorf("hash %q: %v; want a refusal that says what to do", h, got.Err)
		}
	}
}

func TestHash(t *testing.T) {
	t.Parallel()
	for _, p := range []string{"", strings.Repeat("p", 73), "a\x00b", "\xff"} {
		if h, err := basic.Hash(p); err == nil || h != nil || p != "" && strings.Contains(err.Error(), p) {
			t.Errorf("Hash(%q): %q, %v; want an error without the password", p, h, err)
		}
	}
	h, err := basic.Hash(password)
	if err != nil {
		t.Fatal(err)
	}
	if cost, err := bcrypt.Cost(h); err != nil || cost != 12 || bcrypt.CompareHashAndPassword(h, []byte(password)) != nil {
		t.Errorf("cost %d, %v; want a hash of the password of cost 12", cost, err)
	}
}

func TestStaticCopies(t *testing.T) {
	t.Parallel()
	h := hash(t, password)
	m := map[string]basic.User{"alice": {Hash: h}}
	store := basic.Static(m)
	copy(h, "$2a$10$changed")
	delete(m, "alice")
	u, known, err := store.Lookup(t.Context(), "alice")
	if err != nil || !known || bcrypt.CompareHashAndPassword(u.Hash, []byte(password)) != nil {
		t.Errorf("%v, %v: the store changed with what it was made of", known, err)
	}
}

func TestConstructionPanics(t *testing.T) {
	t.Parallel()
	h := hash(t, password)
	tests := map[string]struct {
		want string
		make func()
	}{
		"no store":         {"basic.New(nil)", func() { basic.New(nil) }},
		"no user":          {"no user", func() { basic.Static(nil) }},
		"empty id":         {`user id ""`, func() { basic.Static(map[string]basic.User{"": {Hash: h}}) }},
		"id with a colon":  {`user id "a:b"`, func() { basic.Static(map[string]basic.User{"a:b": {Hash: h}}) }},
		"no hash":          {`hash of user "alice"`, func() { basic.Static(map[string]basic.User{"alice": {}}) }},
		"a password":       {`hash of user "alice"`, func() { basic.Static(map[string]basic.User{"alice": {Hash: []byte(password)}}) }},
		"realm":            {"realm", func() { basic.Realm("a\nb") }},
		"negative memory":  {"basic.Remember", func() { basic.Remember(-1) }},
		"memory for a day": {"basic.Remember", func() { basic.Remember(24 * time.Hour) }},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			defer func() {
				text, ok := recover().(string)
				if !ok || !strings.Contains(text, tt.want) || strings.Contains(text, password) {
					t.Errorf("panicked with %q; want a text with %q and no password", text, tt.want)
				}
			}()
			tt.make()
		})
	}
}
