package secureheaders

import (
	"fmt"
	"strconv"
	"time"
)

// hsts is Strict-Transport-Security, RFC 6797 section 6.1.
type hsts struct {
	off         bool
	maxAge      time.Duration
	subdomains  bool
	preload     bool
	behindProxy bool
}

// HSTS lets browsers refuse plain http to this host name for d, in whole seconds.
// The default is a year, 31536000 seconds; 0 makes browsers forget an earlier
// value, and is what to send before a host goes back to http. The last one given
// counts, also against [NoHSTS].
func HSTS(d time.Duration) Option {
	if d < 0 || d%time.Second != 0 {
		panic(fmt.Sprintf("secureheaders.HSTS(%v): use whole seconds, 0 or more", d))
	}
	return option(func(s *settings) { s.hsts.off, s.hsts.maxAge = false, d })
}

// NoHSTS leaves Strict-Transport-Security out, for example where a proxy sets it.
// Browsers that have seen the header keep to it; to make them forget it use
// HSTS(0). The last of this and [HSTS] counts.
func NoHSTS() Option { return option(func(s *settings) { s.hsts.off = true }) }

// HSTSIncludeSubDomains extends HSTS to all subdomains of the host, whoever serves
// them: each must have TLS. By default it is for the host alone. Repeating it
// changes nothing.
func HSTSIncludeSubDomains() Option { return option(func(s *settings) { s.hsts.subdomains = true }) }

// HSTSPreload asks browser makers to build the host into their lists, from which
// it takes months to be removed. They require [HSTSIncludeSubDomains] and at least
// a year (hstspreload.org), and [New] panics without. The default is not to ask.
// Repeating it changes nothing.
func HSTSPreload() Option { return option(func(s *settings) { s.hsts.preload = true }) }

// BehindTLSProxy sends Strict-Transport-Security also on connections without TLS.
// It is for servers that are reached only through a proxy that ends TLS, and has
// no effect on others, since browsers ignore the header over plain http. The
// default follows the connection, and no header. Repeating it changes nothing.
func BehindTLSProxy() Option { return option(func(s *settings) { s.hsts.behindProxy = true }) }

// check panics for what browser makers would refuse.
func (h hsts) check() {
	switch {
	case h.off && (h.subdomains || h.preload || h.behindProxy):
		panic("secureheaders.New: NoHSTS together with another option about HSTS; keep the one that is meant")
	case h.preload && (!h.subdomains || h.maxAge < year):
		panic("secureheaders.New: HSTSPreload needs HSTSIncludeSubDomains and a duration of at least a year, or browser makers refuse the host")
	}
}

func (h hsts) value() string {
	if h.off {
		return ""
	}
	v := "max-age=" + strconv.FormatInt(int64(h.maxAge/time.Second), 10)
	if h.subdomains {
		v += "; includeSubDomains"
	}
	if h.preload {
		v += "; preload"
	}
	return v
}
