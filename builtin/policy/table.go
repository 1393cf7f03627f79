package policy

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/crosscut-go/crosscut/interceptor"
)

// Table is the effective policy of methods, for people, reviews and golden files. It
// is a copy: changing it changes no policy.
type Table struct {
	// Rows are the methods in the order of their names.
	Rows []Row `json:"methods"`
	// Unused are declarations in Go, as they were written, that no method of the
	// table has a use for: often the misspelt name of a route.
	Unused []string `json:"unused,omitempty"`
}

// Row is one method of a [Table] with what its policy demands. Fields that the policy
// does not set are empty.
type Row struct {
	Method string `json:"method"` // its name, or the pattern of a route
	Kind   string `json:"kind"`   // as gRPC names it, such as "server stream"; "route" for a plain one
	// Bindings are the REST paths of an RPC, from google.api.http in its .proto, each
	// with its verb: "GET /v1/items/{id}".
	Bindings        []string   `json:"bindings,omitempty"`
	Access          string     `json:"access"` // as Access.String has it
	Schemes         []string   `json:"schemes,omitempty"`
	Scopes          []string   `json:"scopes,omitempty"`
	Roles           [][]string `json:"roles,omitempty"` // of each set a caller needs one
	Conditions      []string   `json:"conditions,omitempty"`
	MaxRequestBytes int64      `json:"max_request_bytes,omitempty"`
	Timeout         string     `json:"timeout,omitempty"`
	Rate            string     `json:"rate,omitempty"`
	Audit           bool       `json:"audit,omitempty"`
	// Problem is why calls of the method are refused and a server with it does not
	// start: nobody declared it, or the policy contradicts itself.
	Problem string `json:"problem,omitempty"`
}

// TableOf returns the effective policy that a hook made by [New] has for methods: those
// of grpcadapter.Server.Methods and httpadapter.Mux.Routes of a running program,
// together. It may be called at any time. It panics for another hook.
func TableOf(of interceptor.Hook, methods ...*interceptor.Method) *Table {
	h, ok := of.(*hook)
	if !ok {
		panic(fmt.Sprintf("policy.TableOf(%T): pass the hook that policy.New returned, without interceptor.As or When around it", of))
	}
	targets := make([]target, len(methods))
	for i, m := range methods {
		targets[i] = targetOf(m)
	}
	return h.config.table(targets)
}

// TableOfServices returns the effective policy that a hook made by [New] with the same
// options would have for all methods of the services. It needs no server: descriptors
// come from a file that protoc or buf wrote, for example.
func TableOfServices(services []protoreflect.ServiceDescriptor, opts ...Option) *Table {
	c := newConfig(opts)
	var targets []target
	for _, s := range services {
		for i := range s.Methods().Len() {
			targets = append(targets, targetOfDescriptor(s.Methods().Get(i)))
		}
	}
	return c.table(targets)
}

// Err returns what keeps a server with these methods from starting, all at once, or
// nil. What its hooks enforce is not known here and not checked.
func (t *Table) Err() error {
	var problems []error
	for _, r := range t.Rows {
		if r.Problem != "" {
			problems = append(problems, errors.New(r.Problem))
		}
	}
	return errors.Join(problems...)
}

func (c *config) table(targets []target) *Table {
	t := &Table{Rows: []Row{}}
	used := map[string]bool{}
	for _, tg := range targets {
		t.Rows = append(t.Rows, c.row(tg))
		for _, b := range []*block{c.declaredFor(tg), c.services[tg.serviceName()]} {
			if b != nil {
				used[b.origin] = true
			}
		}
	}
	slices.SortStableFunc(t.Rows, func(a, b Row) int { return strings.Compare(a.Method, b.Method) })
	for _, declared := range []map[string]*block{c.services, c.methods, c.routes} {
		for _, name := range slices.Sorted(maps.Keys(declared)) {
			if origin := declared[name].origin; !used[origin] {
				t.Unused = append(t.Unused, origin)
			}
		}
	}
	return t
}

func (c *config) row(t target) Row {
	r := Row{Method: t.name, Kind: t.kind.String(), Bindings: bindings(t.desc)}
	if t.plain {
		r.Kind = "route"
	}
	p, err := c.resolve(t)
	if err != nil {
		r.Problem = t.name + ": " + err.Error()
	}
	r.Access = p.Access().String()
	if err != nil && !errors.Is(err, errUndeclared) {
		r.Access = "invalid"
	}
	r.Schemes, r.Scopes, r.Conditions = slices.Collect(p.Schemes()), slices.Collect(p.Scopes()), slices.Collect(p.Conditions())
	r.Roles = slices.Collect(p.Roles())
	r.MaxRequestBytes, r.Audit = p.MaxRequestBytes(), p.Audit()
	if d := p.Timeout(); d != 0 {
		r.Timeout = d.String()
	}
	if rate, ok := p.Rate(); ok {
		r.Rate = rate.String()
	}
	return r
}
