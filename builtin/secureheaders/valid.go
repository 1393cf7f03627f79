package secureheaders

import (
	"errors"
	"fmt"
	"strings"
)

// checkContentPolicy follows CSP level 3 section 2.2.1: directives of a name and a
// value, separated by semicolons. A comma would begin a second policy.
func checkContentPolicy(policy string) error {
	seen := map[string]bool{}
	for directive := range strings.SplitSeq(policy, ";") {
		words := strings.Fields(directive)
		if len(words) == 0 {
			continue
		}
		name := strings.ToLower(words[0])
		if strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" {
			return fmt.Errorf("%q is not the name of a directive", words[0])
		}
		if seen[name] {
			return fmt.Errorf("the directive %s is given twice, and browsers ignore the second; join their values", name)
		}
		seen[name] = true
		for _, w := range words[1:] {
			if err := checkSource(w); err != nil {
				return err
			}
		}
	}
	if policy != "" && len(seen) == 0 {
		return errors.New("it has no directive; write one, such as default-src 'self'")
	}
	return nil
}

// checkSource finds the usual mistakes in a source: keywords without quotes, which
// are host names to browsers, and bytes that have no place in a policy.
func checkSource(source string) error {
	switch bare := strings.ToLower(strings.Trim(source, `'"`)); bare {
	case "none", "self", "unsafe-inline", "unsafe-eval", "strict-dynamic", "unsafe-hashes", "report-sample", "wasm-unsafe-eval":
		if strings.ToLower(source) != "'"+bare+"'" {
			return fmt.Errorf("write the keyword %s as '%s', in single quotes", source, bare)
		}
	}
	for i := range len(source) {
		if b := source[i]; b <= ' ' || b >= 0x7f || b == ',' {
			return fmt.Errorf("%q contains %q, which no source has; separate sources by blanks", source, b)
		}
	}
	return nil
}

// checkPermissions follows the Permissions Policy standard, section 5.2: a
// dictionary of structured fields (RFC 9651) whose members are lists of origins.
func checkPermissions(policy string) error {
	if policy == "" {
		return nil
	}
	seen := map[string]bool{}
	for member := range strings.SplitSeq(policy, ",") {
		name, value, found := strings.Cut(strings.Trim(member, " \t"), "=")
		if !found || name == "" || strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" {
			return fmt.Errorf("%q is not a feature with its origins; write it like camera=() or camera=(self)", member)
		}
		if seen[name] {
			return fmt.Errorf("the feature %s is given twice, and browsers take the last; keep one", name)
		}
		seen[name] = true
		if err := checkAllowlist(value); err != nil {
			return err
		}
	}
	return nil
}

// checkAllowlist accepts *, self, and (…) with self, * and quoted origins in it.
func checkAllowlist(value string) error {
	if value == "*" || value == "self" {
		return nil
	}
	inner, opened := strings.CutPrefix(value, "(")
	inner, closed := strings.CutSuffix(inner, ")")
	if !opened || !closed {
		return fmt.Errorf("%q is not a list of origins; write it like (), (self) or (self \"https://app.example.com\")", value)
	}
	for _, item := range strings.Fields(inner) {
		if item != "self" && item != "*" && item != "src" && !quotedOrigin(item) {
			return fmt.Errorf("%q is neither self nor an origin in double quotes", item)
		}
	}
	return nil
}

func quotedOrigin(item string) bool {
	origin, opened := strings.CutPrefix(item, `"`)
	origin, closed := strings.CutSuffix(origin, `"`)
	if !opened || !closed || !strings.Contains(origin, "://") {
		return false
	}
	return strings.IndexFunc(origin, func(r rune) bool { return r <= ' ' || r >= 0x7f || r == '"' || r == '\\' }) < 0
}
