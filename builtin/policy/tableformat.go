package policy

import (
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"
	"unicode"
)

// WriteText writes the table in aligned columns, for terminals.
func (t *Table) WriteText(w io.Writer) error {
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(tw, "METHOD\tKIND\tREST\tACCESS\tDEMANDS") // Flush reports the error
	for _, r := range t.Rows {
		cells := []string{r.Method, r.Kind, dash(r.Bindings), r.Access, dash(r.demands())}
		for i, c := range cells {
			cells[i] = printable(c)
		}
		_, _ = fmt.Fprintln(tw, strings.Join(cells, "\t"))
	}
	for _, u := range t.Unused {
		_, _ = fmt.Fprintf(tw, "unused: %s\n", printable(u))
	}
	return tw.Flush()
}

// WriteMarkdown writes the table in GitHub's Markdown. A change of one method changes
// one line, which makes it the best form to keep in a repository.
func (t *Table) WriteMarkdown(w io.Writer) error {
	var b strings.Builder
	b.WriteString("| Method | Kind | REST | Access | Demands |\n|---|---|---|---|---|\n")
	for _, r := range t.Rows {
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s |\n", code(r.Method), r.Kind, codeSpans(r.Bindings), r.Access, codeSpans(r.demands()))
	}
	if len(t.Unused) > 0 {
		fmt.Fprintf(&b, "\nDeclared without effect: %s\n", codeSpans(t.Unused))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// WriteJSON writes the table as one indented JSON object, with the field names that
// [Table] and [Row] have in their tags.
func (t *Table) WriteJSON(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false) // a condition is easier to review with && than with &
	e.SetIndent("", "  ")
	return e.Encode(t)
}

// String returns what [Table.WriteText] writes.
func (t *Table) String() string {
	var b strings.Builder
	_ = t.WriteText(&b) // a Builder does not fail
	return b.String()
}

// demands returns what the policy asks for beyond access, one text per field, in the
// words of the .proto.
func (r Row) demands() (d []string) {
	if len(r.Schemes) > 0 {
		d = append(d, "schemes: "+strings.Join(r.Schemes, "|"))
	}
	if len(r.Scopes) > 0 {
		d = append(d, "scopes: "+strings.Join(r.Scopes, "+"))
	}
	for _, anyOf := range r.Roles {
		d = append(d, "roles: "+strings.Join(anyOf, "|"))
	}
	for _, c := range r.Conditions {
		d = append(d, "condition: "+c)
	}
	if r.MaxRequestBytes > 0 {
		d = append(d, fmt.Sprintf("max_request_bytes: %d", r.MaxRequestBytes))
	}
	if r.Timeout != "" {
		d = append(d, "timeout: "+r.Timeout)
	}
	if r.Rate != "" {
		d = append(d, "rate: "+r.Rate)
	}
	if r.Audit {
		d = append(d, "audit")
	}
	return d
}

func dash(texts []string) string {
	if len(texts) == 0 {
		return "-"
	}
	return strings.Join(texts, ", ")
}

// printable quotes what would break a line or speak to the terminal: descriptors may
// come from anywhere.
func printable(s string) string {
	if strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return strconv.Quote(s)
	}
	return s
}

func codeSpans(texts []string) string {
	spans := make([]string, len(texts))
	for i, t := range texts {
		spans[i] = code(t)
	}
	return strings.Join(spans, "<br>")
}

// code makes a code span, in which only the bar has to be escaped: it would end the
// cell.
func code(s string) string {
	s = strings.ReplaceAll(printable(s), "|", `\|`)
	if strings.Contains(s, "`") {
		return "`` " + s + " ``"
	}
	return "`" + s + "`"
}
