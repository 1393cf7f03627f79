package gateway

import (
	"errors"
	"fmt"
	"net/http"
	"sort"

	"google.golang.org/genproto/googleapis/api/annotations"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"

	"github.com/crosscut-go/crosscut/interceptor"
	"github.com/crosscut-go/crosscut/internal/driver"
)

// binding is one route of the gateway: the verb it is registered for, its
// template as written, and what it runs.
type binding struct {
	verb         string
	route        string
	method       *interceptor.Method
	responseBody string              // the field that is the whole body, "" for the message
	rival        *interceptor.Method // another RPC with the same route
	custom       bool                // no RPC: the user's own handler
	guess        bool                // perhaps not registered: not shown to the stack before it is used
}

// table maps routes to bindings; see tableKey.
type table map[string]*binding

func tableKey(verb, pattern string) string { return verb + " " + pattern }

// newTable reads the bindings of methods from their descriptors and adds binds.
// With guess the methods are all that the program knows, whoever serves them:
// then their annotations are not the gateway's to complain about.
func newTable(methods []*interceptor.Method, guess bool, binds []bind) (table, error) {
	t := table{}
	var problems []error
	byName := map[string]*interceptor.Method{}
	for _, m := range methods {
		byName[m.Name()] = m
		for _, b := range bindingsOf(m) {
			b.guess = guess
			if err := t.add(b); err != nil && !guess {
				problems = append(problems, fmt.Errorf("gateway: %s: %w", m.Name(), err))
			}
		}
	}
	t.addUnbound(methods)
	for _, b := range binds {
		if err := t.bind(b, byName[b.method]); err != nil {
			problems = append(problems, fmt.Errorf("gateway: Bind(%q, %q, %q): %w", b.verb, b.pattern, b.method, err))
		}
	}
	return t, errors.Join(problems...)
}

func (t table) add(b *binding) error {
	pattern, err := canonical(b.route)
	if err != nil {
		return err
	}
	key := tableKey(b.verb, pattern)
	if other := t[key]; other == nil {
		t[key] = b
	} else if other.method != b.method {
		other.rival = b.method
	}
	return nil
}

// addUnbound adds the routes that generate_unbound_methods makes for RPCs
// without an annotation. They do no harm if the code was generated without it.
func (t table) addUnbound(methods []*interceptor.Method) {
	for _, m := range methods {
		if d := m.Descriptor(); d == nil || httpRule(d) != nil {
			continue
		}
		if key := tableKey(http.MethodPost, m.Name()); t[key] == nil {
			t[key] = &binding{verb: http.MethodPost, route: m.Name(), method: m, guess: true}
		}
	}
}

func (t table) bind(b bind, m *interceptor.Method) error {
	if m == nil {
		return errors.New("the connection serves no such RPC; spell it \"/pkg.Service/Method\" and register the service before the gateway serves")
	}
	pattern, err := canonical(b.pattern)
	if err != nil {
		return err
	}
	t[tableKey(b.verb, pattern)] = &binding{verb: b.verb, route: b.pattern, method: m}
	return nil
}

// bindingsOf returns the routes of the method's google.api.http annotation.
func bindingsOf(m *interceptor.Method) []*binding {
	d := m.Descriptor()
	if d == nil {
		return nil
	}
	rule := httpRule(d)
	if rule == nil {
		return nil
	}
	var all []*binding
	for _, r := range append([]*annotations.HttpRule{rule}, rule.GetAdditionalBindings()...) {
		if verb, template := verbAndTemplate(r); template != "" {
			all = append(all, &binding{verb: verb, route: template, method: m, responseBody: r.GetResponseBody()})
		}
	}
	return all
}

func httpRule(d protoreflect.MethodDescriptor) *annotations.HttpRule {
	opts, ok := d.Options().(*descriptorpb.MethodOptions)
	if !ok || !proto.HasExtension(opts, annotations.E_Http) {
		return nil
	}
	rule, _ := proto.GetExtension(opts, annotations.E_Http).(*annotations.HttpRule)
	return rule
}

func verbAndTemplate(r *annotations.HttpRule) (verb, template string) {
	switch p := r.GetPattern().(type) {
	case *annotations.HttpRule_Get:
		return http.MethodGet, p.Get
	case *annotations.HttpRule_Put:
		return http.MethodPut, p.Put
	case *annotations.HttpRule_Post:
		return http.MethodPost, p.Post
	case *annotations.HttpRule_Delete:
		return http.MethodDelete, p.Delete
	case *annotations.HttpRule_Patch:
		return http.MethodPatch, p.Patch
	case *annotations.HttpRule_Custom:
		return p.Custom.GetKind(), p.Custom.GetPath()
	default:
		return "", ""
	}
}

// prepare shows every bound method to the stack, which reports what must be
// mended before it can be served over HTTP.
func (t table) prepare(s *interceptor.Stack) error {
	var problems []error
	seen := map[*interceptor.Method]bool{}
	for _, b := range t {
		if b.guess || seen[b.method] {
			continue
		}
		seen[b.method] = true
		if err := ops.Prepare(s, b.method, driver.HTTP); err != nil {
			problems = append(problems, err)
		}
	}
	sort.Slice(problems, func(i, j int) bool { return problems[i].Error() < problems[j].Error() })
	return errors.Join(problems...)
}
