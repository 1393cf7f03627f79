package csrf

import (
	"errors"
	"strings"

	"github.com/crosscut-go/crosscut/interceptor"
)

// authority is who vouches for a call.
type authority uint8

const (
	nobody  authority = iota // nothing in the headers; perhaps a certificate or the network
	token                    // a credential that only the code that makes the call can have added
	browser                  // a cookie or a password that browsers add by themselves
)

// authorityOf judges by the headers alone; whether what they hold is valid is for
// other hooks.
func authorityOf(header interceptor.RequestHeader) authority {
	if len(header.Values("Cookie")) > 0 {
		return browser
	}
	values := header.Values("Authorization")
	switch {
	case len(values) == 0:
		return nobody
	case len(values) > 1 || remembered(values[0]):
		return browser
	}
	return token
}

// remembered tells whether browsers ask for credentials of this scheme themselves
// and then add them to every request to the origin, whoever caused it.
func remembered(authorization string) bool {
	scheme, _, _ := strings.Cut(strings.TrimLeft(authorization, " "), " ")
	for _, s := range [...]string{"", "Basic", "Digest", "Negotiate", "NTLM", "HOBA", "Mutual", "PrivateToken"} {
		if strings.EqualFold(s, scheme) {
			return true
		}
	}
	return false
}

var (
	errAmbiguous = errors.New("csrf: more than one Sec-Fetch-Site or Origin; browsers send one")
	errMediaType = errors.New("csrf: a call with a cookie or a remembered password has a body that is not declared as JSON; send Content-Type: application/json, or list the type with csrf.ContentTypes")
)

// mediaType returns the type in a Content-Type without parameters, in lower case
// if that takes no more than that, or "" for what is not one type. "text/plain;
// application/json" is text/plain to browsers, so it is here.
func mediaType(contentType string) string {
	t, _, _ := strings.Cut(contentType, ";")
	t = strings.Trim(t, " \t")
	main, sub, found := strings.Cut(t, "/")
	if !found || !word(main) || !word(sub) {
		return ""
	}
	return strings.ToLower(t)
}

func isJSON(mediaType string) bool {
	return mediaType == "application/json" || strings.HasSuffix(mediaType, "+json")
}

// word tells whether s is a token of RFC 9110 section 5.6.2.
func word(s string) bool {
	for i := range len(s) {
		b := s[i]
		letter := 'a' <= b|0x20 && b|0x20 <= 'z'
		if !letter && (b < '0' || b > '9') && strings.IndexByte("!#$%&'*+-.^_`|~", b) < 0 {
			return false
		}
	}
	return s != ""
}
