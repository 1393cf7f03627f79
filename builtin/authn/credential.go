package authn

import "strings"

// MaxCredential is the length in bytes of the longest credential that is looked
// at. Longer ones are refused unread: what they cost must not be the caller's
// choice.
const MaxCredential = 8 << 10

// find returns the scheme and credential of the only Authorization value, or why
// there is none.
func find(schemes []Scheme, values []string) (*Scheme, string, reason) {
	switch len(values) {
	case 0:
		return nil, "", missing
	case 1:
	default:
		return nil, "", several
	}
	name, credential, why := parse(values[0])
	if why != none {
		return nil, "", why
	}
	for i := range schemes {
		if strings.EqualFold(schemes[i].name, name) {
			return &schemes[i], credential, none
		}
	}
	return nil, "", foreign
}

// parse splits an Authorization value by the grammar of RFC 9110 section 11.4,
// scheme 1*SP token68. Parameters are not accepted, so neither are commas, which
// is how two values look that a proxy has joined.
func parse(value string) (name, credential string, why reason) {
	name, rest, _ := strings.Cut(value, " ")
	credential = strings.TrimLeft(rest, " ")
	switch {
	case value == "":
		return "", "", missing
	case len(credential) > MaxCredential:
		return "", "", tooLong
	case !word(name) || !token68(credential):
		return "", "", malformed
	}
	return name, credential, none
}

// token68 tells whether s is 1*( ALPHA / DIGIT / one of -._~+/ ) *"=".
func token68(s string) bool {
	s = strings.TrimRight(s, "=")
	for i := range len(s) {
		if !credentialByte(s[i]) {
			return false
		}
	}
	return s != ""
}

func credentialByte(b byte) bool {
	switch b {
	case '-', '.', '_', '~', '+', '/':
		return true
	}
	return alphanumeric(b)
}

func alphanumeric(b byte) bool {
	lower := b | 0x20
	return '0' <= b && b <= '9' || 'a' <= lower && lower <= 'z'
}
