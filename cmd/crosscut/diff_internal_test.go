package main

import (
	"strings"
	"testing"
)

// TestDiff compares with what GNU diff -u prints, apart from the first two lines.
func TestDiff(t *testing.T) {
	t.Parallel()
	numbered := func(lines string) string { return strings.ReplaceAll(lines, " ", "\n") + "\n" }
	for _, test := range []struct{ name, before, after, want string }{
		{"equal", "a\n", "a\n", ""},
		{"first line", "", "a\n", "@@ -0,0 +1,1 @@\n+a\n"},
		{"last line", "a\n", "", "@@ -1,1 +0,0 @@\n-a\n"},
		{"in the middle", numbered("1 2 3 4 5 6 7 8 9"), numbered("1 2 3 4 x 6 7 8 9"),
			"@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-5\n+x\n 6\n 7\n 8\n"},
		{"near changes are one", numbered("1 2 3 4 5 6 7 8"), numbered("x 2 3 4 5 6 7 y"),
			"@@ -1,8 +1,8 @@\n-1\n+x\n 2\n 3\n 4\n 5\n 6\n 7\n-8\n+y\n"},
		{"far changes are two", numbered("1 2 3 4 5 6 7 8 9"), numbered("2 3 4 5 6 7 8 9 x"),
			"@@ -1,4 +1,3 @@\n-1\n 2\n 3\n 4\n@@ -7,3 +6,4 @@\n 7\n 8\n 9\n+x\n"},
		{"no line end", "a\nb", "a\nb\n", "@@ -1,2 +1,2 @@\n a\n-b\n\\ No newline at end of file\n+b\n"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got := diff("f", test.before, test.after)
			if want := test.want; want != "" {
				test.want = "--- f\n+++ now\n" + want
			}
			if got != test.want {
				t.Errorf("got\n%swant\n%s", got, test.want)
			}
		})
	}
}
