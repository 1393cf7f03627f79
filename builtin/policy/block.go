package policy

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// block is what one place says: an option of a .proto or a declaration in Go.
type block struct {
	origin    string // the place, as errors name it
	service   bool   // an option of a service
	access    Access
	schemes   []string
	scopes    []string
	roles     []string
	condition string

	maxRequestBytes int64
	timeout         time.Duration
	rate            *Rate
	audit           bool

	override bool // said in Go about a .proto
}

// asks returns the first field that demands something of the caller, or "".
func (b *block) asks() string {
	switch {
	case b == nil:
		return ""
	case len(b.schemes) > 0:
		return "schemes"
	case len(b.scopes) > 0:
		return "scopes"
	case len(b.roles) > 0:
		return "roles"
	case b.condition != "":
		return "condition"
	}
	return ""
}

// check finds what is wrong with the block by itself.
func (b *block) check() error {
	problems := []error{
		b.checkAccess(),
		b.checkNames("schemes", b.schemes, badScheme),
		b.checkNames("scopes", b.scopes, badScope),
		b.checkNames("roles", b.roles, badRole),
	}
	if b.condition != "" && strings.TrimSpace(b.condition) == "" {
		problems = append(problems, b.problem("condition", "it is blank; write an expression, or leave it out"))
	}
	return errors.Join(problems...)
}

func (b *block) checkAccess() error {
	asks := b.asks()
	limits := b.maxRequestBytes != 0 || b.timeout != 0 || b.rate != nil || b.audit
	switch {
	case b.access == AccessUndeclared && asks == "" && !limits:
		return b.problem("access", "the policy is empty; say who may call")
	case b.access == AccessPublic && b.service:
		return b.problem("access", "a service cannot be public in its .proto, because a method added later would be open; make its methods public one by one")
	case (b.access == AccessPublic || b.access == AccessDenied) && asks != "":
		return b.problem(asks, fmt.Sprintf("access is %s, so nothing can be asked of the caller; remove one of the two", b.access))
	}
	return nil
}

func (b *block) checkNames(field string, names []string, bad func(string) string) error {
	var problems []error
	for i, name := range names {
		switch why := bad(name); {
		case name == "":
			problems = append(problems, b.problem(field, "one of them is empty; remove it"))
		case why != "":
			problems = append(problems, b.problem(field, fmt.Sprintf("%q %s", name, why)))
		case slices.Contains(names[:i], name):
			problems = append(problems, b.problem(field, fmt.Sprintf("%q is listed twice; list it once", name)))
		}
	}
	return errors.Join(problems...)
}

func (b *block) problem(field, text string) error {
	return fmt.Errorf("%s: %s: %s", b.origin, field, text)
}

// badScheme wants the name of a scheme as principals carry it: a token of RFC 9110,
// in lower case.
func badScheme(name string) string {
	for i := range len(name) {
		if c := name[i]; (c < 'a' || c > 'z') && (c < '0' || c > '9') && !strings.ContainsRune("-_.+", rune(c)) {
			return "is not the name of a scheme; use lower-case letters, digits and - _ . +"
		}
	}
	return ""
}

// badScope wants the characters that RFC 6749 section 3.3 lets a scope have. No
// caller could ever have another one.
func badScope(name string) string {
	for i := range len(name) {
		if c := name[i]; c <= ' ' || c > '~' || c == '"' || c == '\\' {
			return "cannot be a scope (RFC 6749 section 3.3); list each scope by itself, in printable ASCII without spaces, quotes and backslashes"
		}
	}
	return ""
}

func badRole(name string) string {
	if !utf8.ValidString(name) || strings.TrimSpace(name) != name || strings.ContainsFunc(name, unicode.IsControl) {
		return "begins or ends with a space, or has control characters; correct the role"
	}
	return ""
}
