package picture

import (
	"fmt"
	"slices"
	"time"
)

// The picture is as wide as a page of GitHub shows it. Its height depends on what it
// shows but not on how long that took.
const (
	width   = 1000
	margin  = 16
	gutter  = 20
	panel   = (width - 2*margin - gutter) / 2
	padding = 9
	inside  = panel - 2*padding // of a panel

	panelTop  = 100
	headTall  = 58
	axisTall  = 30
	indent    = 14
	lineTall  = 16
	barTall   = 9
	betweenIn = 13 // spans
)

// Draw returns the picture of two calls. What stands in the same row of both is
// the same step of the call, or the same key of the log record.
func Draw(title, about string, left, right Call) string {
	calls := [2]Call{left, right}
	whole := scale(calls[:])
	waterfall := panelTop + headTall + axisTall
	record := waterfall + waterfallTall(calls)
	rows := align(left.Record, right.Record)
	bottom := record + 34 + len(rows)*lineTall + padding

	c := newCanvas(width, bottom+margin, title, about)
	c.frame(0, 0, width, bottom+margin, background)
	c.heading(24, 36, 18, title)
	c.prose(24, 57, about)
	legend(c, calls)
	for i, call := range calls {
		x := margin + i*(panel+gutter)
		c.frame(x, panelTop, panel, bottom-panelTop, background)
		head(c, x, call)
		axis(c, x+padding, waterfall, record-waterfall-betweenIn, whole)
		c.rule(x, record, panel)
		c.heading(x+padding, record+22, 12, "Its log record")
		c.prose(x+padding+104, record+22, "one line of JSON, here one key a line")
	}
	drawSpans(c, waterfall, calls, whole)
	for row, pair := range rows {
		for i, call := range calls {
			drawField(c, margin+i*(panel+gutter)+padding, record+42+row*lineTall, call, pair[i])
		}
	}
	return c.end()
}

// legend says which colour is which service, and who made which span.
func legend(c *canvas, calls [2]Call) {
	x := 24
	entry := func(fill string, opacity float64, text string) {
		c.bar(x, 74, 14, fill, opacity)
		x = c.mono(x+20, 83, small, muted, text) + 22
	}
	seen := map[string]bool{}
	for _, s := range calls[0].Spans {
		if !seen[s.Service] {
			seen[s.Service] = true
			entry(colour(s.Service), 1, s.Service)
		}
	}
	entry(muted, 1, "server spans, made by telemetry.New")
	entry(muted, pale, "spans of clients")
}

// head is what stands above a waterfall: the call, and the id of its trace.
func head(c *canvas, x int, call Call) {
	c.band(x, panelTop, panel, headTall)
	c.heading(x+padding, panelTop+23, 15, call.Title)
	c.mono(x+padding+56, panelTop+23, large, ink, call.Outcome)
	after := c.mono(x+padding, panelTop+45, small, muted, "trace_id ")
	c.marked(after, panelTop+45, ofTrace, call.TraceID)
}

// axis draws the scale of time.
func axis(c *canvas, x, y, tall int, whole time.Duration) {
	const parts = 4
	for i := range parts + 1 {
		at := x + i*inside/parts
		c.grid(at, y-8, tall+8)
		anchor := map[int]string{0: "start", parts: "end"}[i]
		if anchor == "" {
			anchor = "middle"
		}
		c.measured(at, y-13, anchor, milliseconds(whole*time.Duration(i)/parts))
	}
}

// drawSpans draws both waterfalls, row by row.
func drawSpans(c *canvas, y int, calls [2]Call, whole time.Duration) {
	for row := range max(len(calls[0].Spans), len(calls[1].Spans)) {
		for i, call := range calls {
			if row < len(call.Spans) {
				drawSpan(c, margin+i*(panel+gutter)+padding, y, call, call.Spans[row], whole)
			}
		}
		y += rowTall(calls, row)
	}
}

// drawSpan draws a span: its name, its bar below, and its attributes below that.
func drawSpan(c *canvas, x, y int, call Call, s Span, whole time.Duration) {
	from := x + s.Depth*indent
	if s.Depth > 0 {
		c.elbow(from-indent+3, y)
	}
	after := c.bold(from, y+12, large, colour(s.Service), s.Service)
	after = c.mono(after+6, y+12, small, muted, s.Kind)
	c.mono(after+6, y+12, large, ink, s.Name)
	c.measured(x+inside, y+12, "end", milliseconds(s.Duration))

	opacity := 1.0
	if !s.ours() {
		opacity = pale
	}
	c.track(x, y+18, inside)
	c.measuredBar(float64(x)+part(s.Start, whole), y+18, max(1.5, part(s.Duration, whole)), colour(s.Service), opacity)

	for line, fields := range wrap(s.Attributes, inside-s.Depth*indent) {
		after := from
		for _, f := range fields {
			after = c.mono(after, y+42+line*lineTall, small, muted, f.Key+" = ")
			after = c.value(after, y+42+line*lineTall, f) + 14
		}
	}
	if call.logged(s) {
		y += 42 + len(wrap(s.Attributes, inside-s.Depth*indent))*lineTall
		c.marked(c.mono(from, y, small, muted, "span_id "), y, ofSpan, s.ID)
	}
}

// drawField draws a key of a log record and its value, or nothing for the key of
// the other record.
func drawField(c *canvas, x, y int, call Call, f Field) {
	if f.Key == "" {
		return
	}
	first, last := call.Record[0].Key == f.Key, call.Record[len(call.Record)-1].Key == f.Key
	head, tail := " ", ","
	if first {
		head = "{"
	}
	if last {
		tail = "}"
	}
	after := c.mono(x, y, small, key, head+`"`+f.Key+`":`)
	switch {
	case f.Value == quoted(call.TraceID):
		c.mono(c.marked(after, y, ofTrace, f.Value), y, small, ink, tail)
	case slices.ContainsFunc(call.Spans, func(s Span) bool { return f.Value == quoted(s.ID) }):
		c.mono(c.marked(after, y, ofSpan, f.Value), y, small, ink, tail)
	default:
		f.Value += tail
		c.value(after, y, f)
	}
}

// wrap breaks attributes into lines of at most so many pixels.
func wrap(fields []Field, pixels int) (lines [][]Field) {
	used := pixels // of the line before the first: full
	for _, f := range fields {
		wide := small.wide(f.Key+" = "+f.Value) + 14
		if used+wide-14 > pixels {
			lines, used = append(lines, nil), 0
		}
		lines[len(lines)-1] = append(lines[len(lines)-1], f)
		used += wide
	}
	return lines
}

// rowTall is the height of a row of spans: that of the taller one.
func rowTall(calls [2]Call, row int) int {
	lines := 0
	for _, call := range calls {
		if row >= len(call.Spans) {
			continue
		}
		s := call.Spans[row]
		n := len(wrap(s.Attributes, inside-s.Depth*indent))
		if call.logged(s) {
			n++
		}
		lines = max(lines, n)
	}
	return 30 + lines*lineTall + betweenIn
}

func waterfallTall(calls [2]Call) (tall int) {
	for row := range max(len(calls[0].Spans), len(calls[1].Spans)) {
		tall += rowTall(calls, row)
	}
	return tall
}

// part is the width of a time in pixels.
func part(d, whole time.Duration) float64 { return inside * float64(d) / float64(whole) }

func milliseconds(d time.Duration) string {
	return fmt.Sprintf("%.2f ms", float64(d)/float64(time.Millisecond))
}
