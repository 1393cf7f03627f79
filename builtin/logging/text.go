package logging

import (
	"strconv"
	"strings"
	"unicode"
)

// cut shortens s to about limit bytes and makes what is invisible visible.
// Handlers of slog escape quotes and line breaks; but the JSON handler writes
// characters such as U+202E as they are, and a terminal then shows the line in
// another order than it has.
func cut(s string, limit int) string {
	if len(s) > limit {
		s = strings.ToValidUTF8(s[:limit], "") + "…"
	}
	if plain(s) {
		return s
	}
	var b strings.Builder
	for _, r := range s {
		if unicode.IsPrint(r) || r == '\n' || r == '\t' {
			b.WriteRune(r)
			continue
		}
		quoted := strconv.QuoteRuneToASCII(r)
		b.WriteString(quoted[1 : len(quoted)-1])
	}
	return b.String()
}

// plain tells whether s is printable ASCII, which nearly everything is.
func plain(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}
