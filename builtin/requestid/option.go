package requestid

import (
	"fmt"
	"strings"
)

// Option changes what [New] does.
type Option interface{ apply(*hook) }

type option func(*hook)

func (f option) apply(h *hook) { f(h) }

// Header names the header that ids arrive and leave in. The default is
// [DefaultHeader]; the last one given counts. The name must be one that HTTP and
// gRPC can both carry as text: letters, digits, - _ and ., not beginning with
// "grpc-" and not ending in "-bin", which gRPC keeps to itself.
func Header(name string) Option {
	if !textHeader(name) {
		panic(fmt.Sprintf("requestid.Header(%q): use letters, digits, - _ and ., not beginning with grpc- and not ending in -bin", name))
	}
	return option(func(h *hook) { h.name(name) })
}

// IgnoreInbound makes an id for every call, whatever the client sent: clients
// then cannot choose what operators will search for. By default a sane inbound
// id is kept. Repeating it changes nothing.
func IgnoreInbound() Option { return option(func(h *hook) { h.ignore = true }) }

// Generator makes ids with generate instead of crypto/rand's Text. It is called
// by many goroutines at once, and must return ids that [Valid] accepts: the call
// fails INTERNAL otherwise, and the operator learns the reason. The last one
// given counts; it has no effect on calls whose inbound id is kept.
func Generator(generate func() string) Option {
	if generate == nil {
		panic("requestid.Generator(nil): pass a function, or leave the option out")
	}
	return option(func(h *hook) { h.generate = generate })
}

// textHeader follows the narrower of the two rules: gRPC's key names are letters,
// digits, - _ and . (PROTOCOL-HTTP2, "Header-Name").
func textHeader(name string) bool {
	for i := range len(name) {
		if b := name[i]; !alphanumeric(b) && b != '-' && b != '_' && b != '.' {
			return false
		}
	}
	lower := strings.ToLower(name)
	return name != "" && !strings.HasPrefix(lower, "grpc-") && !strings.HasSuffix(lower, "-bin")
}
