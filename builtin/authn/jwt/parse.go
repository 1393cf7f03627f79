package jwt

import (
	"encoding/base64"
	"strings"

	"github.com/crosscut-go/crosscut/internal/strictjson"
)

// MaxToken is the length in bytes of the longest token that is looked at, and what
// package authn takes for a credential at most.
const MaxToken = 8 << 10

const (
	maxHeader      = 2 << 10 // bytes of the header's JSON
	maxHeaderDepth = 4
	maxKeyID       = 128
)

// canonical decodes base64url without padding, and only the one spelling whose
// unused bits are zero.
var canonical = base64.RawURLEncoding.Strict()

// header is what is used of a token's header. Nothing in it has been verified.
type header struct {
	algorithm string
	keyID     string
}

// parse reads the form and the header of a token, and refuses every token that
// another reader could understand differently. It costs little and looks at no
// claim: whoever made the token may be a stranger.
func parse(token string, r *rules) (header, error) {
	if len(token) > MaxToken {
		return header{}, errTooLong
	}
	head, ok := split(token)
	if !ok {
		return header{}, errForm
	}
	if len(head) > canonical.EncodedLen(maxHeader) {
		return header{}, errHeader
	}
	text, err := canonical.DecodeString(head)
	if err != nil {
		return header{}, errForm
	}
	members, err := strictjson.Object(string(text), maxHeaderDepth)
	if err != nil {
		return header{}, errHeader
	}
	return readHeader(members, r)
}

// split returns the first of exactly three parts that are base64url in its only
// spelling.
func split(token string) (head string, ok bool) {
	head, rest, _ := strings.Cut(token, ".")
	payload, signature, _ := strings.Cut(rest, ".")
	// A further dot is in signature, where it is no character of base64url.
	return head, spelled(head) && spelled(payload) && spelled(signature)
}

// spelled tells whether part is not empty and the canonical base64url of something,
// without decoding it: the characters, the length, and the unused bits of the last
// one.
func spelled(part string) bool {
	for i := range len(part) {
		if sextet(part[i]) < 0 {
			return false
		}
	}
	if part == "" {
		return false
	}
	last := sextet(part[len(part)-1])
	switch len(part) % 4 {
	case 1:
		return false
	case 2:
		return last&0xf == 0
	case 3:
		return last&0x3 == 0
	}
	return true
}

// sextet returns the six bits a character of base64url stands for, or -1.
func sextet(b byte) int {
	switch {
	case 'A' <= b && b <= 'Z':
		return int(b - 'A')
	case 'a' <= b && b <= 'z':
		return int(b-'a') + 26
	case '0' <= b && b <= '9':
		return int(b-'0') + 52
	case b == '-':
		return 62
	case b == '_':
		return 63
	}
	return -1
}

// forbidden are the members that no token may have: the ones that bring a key, and
// the ones that change what the signature covers or must be understood.
var forbidden = []string{"crit", "b64", "zip", "jwk", "jku", "x5c", "x5u"}

// registered are the members whose names may not occur in another case.
var registered = map[string]bool{
	"alg": true, "kid": true, "typ": true, "cty": true, "crit": true, "b64": true, "zip": true, "enc": true,
	"jwk": true, "jku": true, "x5c": true, "x5u": true, "x5t": true, "x5t#S256": true, "nonce": true,
}

func readHeader(members map[string]any, r *rules) (header, error) {
	if !distinct(members) {
		return header{}, errHeader
	}
	for _, name := range forbidden {
		if _, present := members[name]; present {
			return header{}, errForbidden
		}
	}
	algorithm, _ := members["alg"].(string)
	if !r.algorithms[algorithm] {
		return header{}, errAlgorithm
	}
	if typ, present := members["typ"]; present && !r.accepts(typ) {
		return header{}, errType
	}
	keyID, _ := members["kid"].(string)
	if !printable(keyID) {
		return header{}, errKeyID
	}
	if nonce, present := members["nonce"]; present {
		if _, isText := nonce.(string); !isText { // RFC 8555 section 6.5.2; go-jose refuses it too
			return header{}, errHeader
		}
	}
	return header{algorithm, keyID}, nil
}

// distinct tells whether no two names differ in case alone, and no name is a
// registered one in another case: readers that ignore case would see another header.
func distinct(members map[string]any) bool {
	seen := make(map[string]bool, len(members))
	for name := range members {
		f := folded(name)
		if seen[f] {
			return false
		}
		seen[f] = true
	}
	for name := range registered {
		if _, exact := members[name]; seen[folded(name)] && !exact {
			return false
		}
	}
	return true
}

// folded maps the names that readers ignoring case take for one to one text. Upper
// case first: the long s has no lower case of its own.
func folded(name string) string { return strings.ToLower(strings.ToUpper(name)) }
