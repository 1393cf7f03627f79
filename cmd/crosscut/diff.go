package main

import (
	"fmt"
	"strings"
)

// contextLines are the unchanged lines around a change.
const contextLines = 3

// edit is one line of a comparison: ' ' in both texts, '-' in the old, '+' in the new.
type edit struct {
	sign byte
	line string
}

// diff returns a unified diff from the file's text to the new one, "" if they are equal.
func diff(file, before, after string) string {
	if before == after {
		return ""
	}
	edits := compareLines(lines(before), lines(after))
	var b strings.Builder
	fmt.Fprintf(&b, "--- %s\n+++ now\n", file)
	oldLine, newLine := 1, 1
	for i := 0; i < len(edits); {
		end := hunk(edits, i)
		if end == i { // an unchanged line that belongs to no change
			i, oldLine, newLine = i+1, oldLine+1, newLine+1
			continue
		}
		oldLen, newLen := count(edits[i:end])
		fmt.Fprintf(&b, "@@ -%s +%s @@\n", span(oldLine, oldLen), span(newLine, newLen))
		for _, e := range edits[i:end] {
			b.WriteString(string(e.sign) + e.line)
		}
		i, oldLine, newLine = end, oldLine+oldLen, newLine+newLen
	}
	return b.String()
}

// lines keeps the line ends, and marks a last line without one as diff does.
func lines(text string) []string {
	if text == "" {
		return nil
	}
	found := strings.SplitAfter(strings.TrimSuffix(text, "\n"), "\n")
	if last := len(found) - 1; strings.HasSuffix(text, "\n") {
		found[last] += "\n"
	} else {
		found[last] += "\n\\ No newline at end of file\n"
	}
	return found
}

// compareLines finds the shortest list of edits by the longest common subsequence.
// Tables have hundreds of lines, so the square of that is fine.
func compareLines(before, after []string) []edit {
	common := make([][]int, len(before)+1) // common[i][j]: length for before[i:] and after[j:]
	for i := range common {
		common[i] = make([]int, len(after)+1)
	}
	for i := len(before) - 1; i >= 0; i-- {
		for j := len(after) - 1; j >= 0; j-- {
			if before[i] == after[j] {
				common[i][j] = common[i+1][j+1] + 1
			} else {
				common[i][j] = max(common[i+1][j], common[i][j+1])
			}
		}
	}
	var edits []edit
	i, j := 0, 0
	for i < len(before) || j < len(after) {
		switch {
		case i < len(before) && j < len(after) && before[i] == after[j]:
			edits = append(edits, edit{' ', before[i]})
			i, j = i+1, j+1
		case j == len(after) || i < len(before) && common[i+1][j] >= common[i][j+1]:
			edits = append(edits, edit{'-', before[i]})
			i++
		default:
			edits = append(edits, edit{'+', after[j]})
			j++
		}
	}
	return edits
}

// hunk returns the end of the hunk that begins at start, or start if none does: a
// hunk begins at most contextLines before a change, and goes on while less than twice
// as many unchanged lines come before the next.
func hunk(edits []edit, start int) int {
	last := start
	for last < len(edits) && edits[last].sign == ' ' {
		last++
	}
	if last == len(edits) || last-start > contextLines {
		return start
	}
	for i := last; i < len(edits) && i-last-1 <= 2*contextLines; i++ {
		if edits[i].sign != ' ' {
			last = i
		}
	}
	return min(last+1+contextLines, len(edits))
}

// count returns how many lines of the old and of the new text the edits span.
func count(edits []edit) (before, after int) {
	for _, e := range edits {
		if e.sign != '+' {
			before++
		}
		if e.sign != '-' {
			after++
		}
	}
	return before, after
}

// span writes a range of a hunk as diff does: a range without lines is named by the
// line before it.
func span(from, length int) string {
	if length == 0 {
		from--
	}
	return fmt.Sprintf("%d,%d", from, length)
}
