package secureheaders

import (
	"fmt"
	"slices"
	"strings"
)

// Option changes what [New] does.
type Option interface{ apply(*settings) }

type option func(*settings)

func (f option) apply(s *settings) { f(s) }

type settings struct {
	hsts        hsts
	referrer    string
	frame       string
	content     string
	opener      string
	resources   string
	permissions string
}

// headers are the headers that do not depend on the call.
func (s *settings) headers() []header {
	all := []header{
		{"X-Content-Type-Options", "nosniff"},
		{"Referrer-Policy", s.referrer},
		{"X-Frame-Options", s.frame},
		{"Content-Security-Policy", s.content},
		{"Cross-Origin-Opener-Policy", s.opener},
		{"Cross-Origin-Resource-Policy", s.resources},
		{"Permissions-Policy", s.permissions},
	}
	return slices.DeleteFunc(all, func(h header) bool { return h.value == "" })
}

// ReferrerPolicy sets what browsers tell other sites about the page a visitor
// comes from, by default strict-origin-when-cross-origin. With no-referrer browsers
// send "Origin: null" even to the page's own origin, which package csrf then
// refuses if they are old. It panics for what is no policy of the W3C standard;
// "" leaves the header out. The last one given counts.
func ReferrerPolicy(policy string) Option {
	oneOf("ReferrerPolicy", policy, "no-referrer", "no-referrer-when-downgrade", "origin", "origin-when-cross-origin",
		"same-origin", "strict-origin", "strict-origin-when-cross-origin", "unsafe-url")
	return option(func(s *settings) { s.referrer = policy })
}

// FrameOptions sets X-Frame-Options, for browsers that do not know the
// frame-ancestors of [ContentSecurityPolicy]: DENY, the default, or SAMEORIGIN.
// Change both alike. It panics for other values; "" leaves the header out. The
// last one given counts.
func FrameOptions(value string) Option {
	oneOf("FrameOptions", value, "DENY", "SAMEORIGIN")
	return option(func(s *settings) { s.frame = value })
}

// ContentSecurityPolicy sets the policy for pages that have none of their own. The
// default is frame-ancestors 'none', which keeps others from framing a page and
// changes nothing else; a policy given here replaces it, frame-ancestors included.
// It panics for what is not a list of directives separated by semicolons, and for
// a directive that is given twice, of which browsers ignore the second; "" leaves
// the header out. The last one given counts.
func ContentSecurityPolicy(policy string) Option {
	if err := checkContentPolicy(policy); err != nil {
		panic(fmt.Sprintf("secureheaders.ContentSecurityPolicy(%q): %v", policy, err))
	}
	return option(func(s *settings) { s.content = policy })
}

// OpenerPolicy sets Cross-Origin-Opener-Policy, whether windows of other origins
// keep a hold on the page: same-origin, the default, same-origin-allow-popups,
// noopener-allow-popups or unsafe-none. It panics for other values; "" leaves the
// header out. The last one given counts.
func OpenerPolicy(policy string) Option {
	oneOf("OpenerPolicy", policy, "same-origin", "same-origin-allow-popups", "noopener-allow-popups", "unsafe-none")
	return option(func(s *settings) { s.opener = policy })
}

// ResourcePolicy sets Cross-Origin-Resource-Policy, who may embed an answer as an
// image, script or the like: same-origin, the default, same-site or cross-origin.
// It does not concern what package cors allows. It panics for other values; ""
// leaves the header out. The last one given counts.
func ResourcePolicy(policy string) Option {
	oneOf("ResourcePolicy", policy, "same-origin", "same-site", "cross-origin")
	return option(func(s *settings) { s.resources = policy })
}

// PermissionsPolicy sets which features pages may use, such as
//
//	camera=(), geolocation=(self "https://maps.example.com")
//
// By default there is no such header. It panics for what is not a list of features
// with their origins, such as the older syntax "camera 'none'"; "" leaves the
// header out. The last one given counts.
func PermissionsPolicy(policy string) Option {
	if err := checkPermissions(policy); err != nil {
		panic(fmt.Sprintf("secureheaders.PermissionsPolicy(%q): %v", policy, err))
	}
	return option(func(s *settings) { s.permissions = policy })
}

func oneOf(function, value string, values ...string) {
	if value != "" && !slices.Contains(values, value) {
		panic(fmt.Sprintf("secureheaders.%s(%q): use one of %s, or \"\" for no header", function, value, strings.Join(values, ", ")))
	}
}
