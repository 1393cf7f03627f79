package authn

import "strings"

// MaxCredential is the length in bytes of the longest credential that is looked
// at. Longer ones are refused unread: what they cost must not be the caller's
// choice.
const MaxCredential = 8 << 10

// only returns the only value of a header. Equal ones are several, too: who reads
// the first and who reads the last must not be able to differ.
func only(values []string) (string, reason) {
	switch {
	case len(values) == 0:
		return "", missing
	case len(values) > 1:
		return "", several
	case values[0] == "":
		return "", empty
	}
	return values[0], none
}

// parse splits an Authorization value by the grammar of RFC 9110 section 11.4,
// scheme 1*SP token68. Parameters are not accepted, so neither are commas, which
// is how two values look that a proxy has joined.
func parse(value string) (name, credential string, why reason) {
	name, rest, _ := strings.Cut(value, " ")
	credential = strings.TrimLeft(rest, " ")
	switch {
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
