package gateway

import "strings"

// sameRPC tells whether name, as generated gateway code hands it to
// runtime.AnnotateContext, means the RPC fullMethod. protoc-gen-grpc-gateway
// renders service and method in Go's camel case, and a service without a package
// as "/.Service/Method", so the name is not always the one that gRPC knows.
func sameRPC(name, fullMethod string) bool {
	if name == fullMethod {
		return true
	}
	pkg, service, method := splitRPC(fullMethod)
	gotPkg, gotService, gotMethod := splitRPC(name)
	return pkg == gotPkg && camel(service) == gotService && camel(method) == gotMethod
}

// splitRPC takes "/pkg.Service/Method" apart; a missing package is "".
func splitRPC(fullMethod string) (pkg, service, method string) {
	service, method, _ = strings.Cut(strings.TrimPrefix(fullMethod, "/"), "/")
	if dot := strings.LastIndexByte(service, '.'); dot >= 0 {
		pkg, service = service[:dot], service[dot+1:]
	}
	return pkg, service, method
}

// camel makes a Go name of a proto name as protoc-gen-go does: a leading
// underscore becomes X, an underscore before a lower-case letter goes away, and
// the first letter of every word is upper case.
func camel(name string) string {
	var b strings.Builder
	start := true // the next letter begins a word
	for i := range len(name) {
		c := name[i]
		switch {
		case c == '_' && i == 0:
			b.WriteByte('X')
		case c == '_' && i+1 < len(name) && isLower(name[i+1]):
			start = true
		case isLower(c) && start:
			b.WriteByte(c - 'a' + 'A')
			start = false
		default:
			b.WriteByte(c)
			start = !isLower(c) && (c < 'A' || c > 'Z')
		}
	}
	return b.String()
}

func isLower(c byte) bool { return 'a' <= c && c <= 'z' }
