package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
)

// column is one call of a scene: what the hooks saw, the log lines it left, and
// what the client got.
type column struct {
	title  string
	events []event
	logs   []string
	got    string
}

// printScene prints the columns side by side, one line per hook and phase. A
// phase that does not exist on a transport shows as "–".
func printScene(out io.Writer, title string, columns []column) error {
	var table strings.Builder
	row := func(label string, cells []string) {
		table.WriteString("  " + label + "\t" + strings.Join(cells, "\t") + "\n")
	}
	var titles []string
	for _, c := range columns {
		titles = append(titles, c.title)
	}
	row("", titles)
	for _, r := range merge(columns) {
		row(r.where, r.cells)
	}
	var logged, got []string
	for _, c := range columns {
		logged = append(logged, logSummary(c.logs))
		got = append(got, c.got)
	}
	row("log", logged)
	row("client got", got)
	if _, err := fmt.Fprintf(out, "\n%s\n\n", title); err != nil {
		return err
	}
	w := tabwriter.NewWriter(out, 0, 0, 3, ' ', 0)
	if _, err := io.WriteString(w, table.String()); err != nil {
		return err
	}
	return w.Flush()
}

type tableRow struct {
	where string
	cells []string
}

// merge lines the columns' events up. The first column has every phase there is,
// so each other column's events are matched in order against it; one that does
// not match would show as a line of its own, where a difference cannot be missed.
func merge(columns []column) []tableRow {
	next := make([]int, len(columns))
	var rows []tableRow
	for _, lead := range columns[0].events {
		row := tableRow{where: lead.where, cells: make([]string, len(columns))}
		for i, c := range columns {
			row.cells[i] = "–"
			if next[i] < len(c.events) && c.events[next[i]].where == lead.where {
				row.cells[i] = c.events[next[i]].what
				next[i]++
			}
		}
		rows = append(rows, row)
	}
	for i, c := range columns {
		for _, e := range c.events[next[i]:] {
			row := tableRow{where: e.where + " (only here)", cells: make([]string, len(columns))}
			row.cells[i] = e.what
			rows = append(rows, row)
		}
	}
	return rows
}

// logSummary shows that a call leaves one record, and who the log says it was.
func logSummary(lines []string) string {
	if len(lines) != 1 {
		return fmt.Sprintf("%d records", len(lines))
	}
	var record struct {
		Code      string `json:"code"`
		Principal string `json:"principal"`
	}
	if err := json.Unmarshal([]byte(lines[0]), &record); err != nil {
		return err.Error()
	}
	if record.Principal == "" {
		record.Principal = "nobody"
	}
	return fmt.Sprintf("1 record: %s, %s", record.Code, record.Principal)
}
