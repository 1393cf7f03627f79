package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
)

// record is what the tour reads of a record of the log.
type record struct {
	RequestID     string `json:"request_id"`
	Code          string `json:"code"`
	Principal     string `json:"principal"`
	ClientAddress string `json:"client_address"`
	Error         string `json:"error"`
}

func (t *tour) nextRecord(ctx context.Context) (record, error) {
	line, err := t.logs.Next(ctx)
	if err != nil {
		return record{}, err
	}
	var r record
	err = json.Unmarshal([]byte(line), &r)
	return r, err
}

// summary is the decision that all records agree on. Where they do not, it shows
// every one, which cannot be missed.
func summary(records []record) string {
	var decisions []string
	for _, r := range records {
		if r.Principal == "" {
			r.Principal = "nobody"
		}
		decisions = append(decisions, r.Code+", "+r.Principal)
	}
	if different := slices.Compact(slices.Clone(decisions)); len(different) > 1 {
		return "NOT ALIKE: " + strings.Join(decisions, "; ")
	}
	if len(records) == 1 {
		return decisions[0]
	}
	return fmt.Sprintf("%d × %s", len(records), decisions[0])
}

// reasons are the causes of the records' failures, each once. Clients do not get
// them.
func reasons(records []record) []string {
	var all []string
	for _, r := range records {
		if r.Error != "" && !slices.Contains(all, r.Error) {
			all = append(all, r.Error)
		}
	}
	return all
}

// grid is a table whose rows may have notes below them.
type grid struct {
	head []string
	rows [][]string
	note map[int][]string // by row
}

func (g *grid) add(row []string, notes ...string) {
	if g.note == nil {
		g.note = map[int][]string{}
	}
	g.note[len(g.rows)] = notes
	g.rows = append(g.rows, row)
}

func (g *grid) print(out io.Writer, title string) error {
	var text strings.Builder
	w := tabwriter.NewWriter(&text, 0, 0, 3, ' ', 0)
	for _, row := range append([][]string{g.head}, g.rows...) {
		if _, err := fmt.Fprintln(w, "  "+strings.Join(row, "\t")); err != nil {
			return err
		}
	}
	if err := w.Flush(); err != nil {
		return err
	}
	lines := strings.Split(strings.TrimSuffix(text.String(), "\n"), "\n")
	var page strings.Builder
	page.WriteString("\n" + title + "\n\n" + lines[0] + "\n")
	for i, line := range lines[1:] {
		page.WriteString(line + "\n")
		for _, note := range g.note[i] {
			page.WriteString("      " + note + "\n")
		}
	}
	_, err := io.WriteString(out, page.String())
	return err
}
