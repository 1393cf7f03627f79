package interceptor_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/crosscut-go/crosscut/interceptor"
	"github.com/crosscut-go/crosscut/interceptor/interceptortest"
	"github.com/crosscut-go/crosscut/internal/driver"
)

// asking is a decider that notes where it is the last one.
type asking struct {
	interceptor.Base
	last *[]string
}

func (asking) Decides() {}

func (a asking) DecidesLast(m *interceptor.Method) { *a.last = append(*a.last, m.Name()) }

// deciding is a decider that wants to know nothing.
type deciding struct{ interceptor.Base }

func (deciding) Decides() {}

// TestLastDecider checks that the hook is told of exactly the methods on which no
// hook further in decides.
func TestLastDecider(t *testing.T) {
	t.Parallel()
	get, list := interceptortest.NewMethod("GET /get"), interceptortest.NewMethod("GET /list")
	var last []string
	hook := asking{last: &last}
	noting := interceptor.FromFuncs("noting", interceptor.Funcs{})
	tests := []struct {
		name  string
		hooks []interceptor.Hook
		want  []string
	}{
		{"alone", []interceptor.Hook{hook}, []string{"GET /get", "GET /list"}},
		{"a decider further out", []interceptor.Hook{deciding{}, hook}, []string{"GET /get", "GET /list"}},
		{"a hook further in that does not decide", []interceptor.Hook{hook, noting}, []string{"GET /get", "GET /list"}},
		{"a decider further in", []interceptor.Hook{hook, deciding{}}, nil},
		{"a decider further in on one method", []interceptor.Hook{hook, interceptor.When(interceptor.Methods("GET /get"), deciding{})}, []string{"GET /list"}},
		{"on one method", []interceptor.Hook{interceptor.When(interceptor.Methods("GET /get"), hook)}, []string{"GET /get"}},
		{"under another name", []interceptor.Hook{interceptor.As("other", hook)}, []string{"GET /get", "GET /list"}},
	}
	for _, tt := range tests {
		last = nil
		stack := interceptor.MustNew(tt.hooks...)
		for range 2 { // the second time nothing is new
			for _, m := range []*interceptor.Method{get, list} {
				_ = ops.Prepare(stack, m, driver.HTTP)
			}
		}
		slices.Sort(last)
		if !slices.Equal(last, tt.want) {
			t.Errorf("%s: told of %q, want %q", tt.name, last, tt.want)
		}
	}
}

type talking struct{ interceptor.Base }

func (talking) Decides() {}

func (talking) DecidesLast() {}

func TestLastDeciderHalfDone(t *testing.T) {
	t.Parallel()
	_, err := interceptor.New(talking{})
	if err == nil || !strings.Contains(err.Error(), "DecidesLast(*interceptor.Method)") {
		t.Errorf("New returned %v; want an error with the signature", err)
	}
}
