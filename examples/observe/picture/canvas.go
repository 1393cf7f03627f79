package picture

import (
	"encoding/xml"
	"fmt"
	"strings"
	"unicode/utf8"
)

// The colours stand on a background of the picture's own, so they read the same on
// a light page and on a dark one. Those of services are told apart by everyone.
const (
	background = "#ffffff"
	shade      = "#f6f8fa"
	edge       = "#d0d7de"
	faint      = "#e3e8ed"
	ink        = "#1f2328"
	muted      = "#59636e"
	key        = "#0550ae"

	pale = 0.35 // opacity of the bars that are not ours
)

// mark is how an id is marked, wherever it occurs.
type mark struct{ fill, edge string }

var (
	ofTrace = mark{"#fff3b0", "#d4a72c"}
	ofSpan  = mark{"#ddf4ff", "#54aeff"}
)

// colour returns the colour of a service. They are few and known by name, so that
// a service has the same colour in every run.
func colour(service string) string {
	switch service {
	case "customer":
		return "#0072b2"
	case "shop":
		return "#c24e00"
	default:
		return "#00795a"
	}
}

// size is the size of type with characters of one width.
type size int

const (
	small size = 11
	large size = 12
)

// wide returns how wide a text is. Fonts differ a little; the text is told to be
// that wide, so that what stands beside it fits with every font.
func (s size) wide(text string) int { return (utf8.RuneCountInString(text)*int(s)*6 + 5) / 10 }

// canvas is an SVG under construction.
type canvas struct{ strings.Builder }

func newCanvas(width, height int, title, about string) *canvas {
	c := &canvas{}
	c.printf(`<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %d %d" role="img" font-family="%s">`,
		width, height, width, height, "ui-sans-serif, system-ui, 'Segoe UI', Helvetica, Arial, sans-serif")
	c.printf(`<title>%s</title>`, escape(title))
	c.printf(`<desc>%s</desc>`, escape(about))
	return c
}

func (c *canvas) printf(format string, args ...any) { c.WriteString(fmt.Sprintf(format+"\n", args...)) }

func (c *canvas) end() string { return c.String() + "</svg>\n" }

// escape makes text out of what could be markup. What XML cannot hold at all becomes
// U+FFFD.
func escape(text string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(text)) // a Builder takes everything
	return b.String()
}

func (c *canvas) heading(x, y, size int, text string) {
	c.printf(`<text x="%d" y="%d" font-size="%d" font-weight="600" fill="%s">%s</text>`, x, y, size, ink, escape(text))
}

func (c *canvas) prose(x, y int, text string) {
	c.printf(`<text x="%d" y="%d" font-size="12" fill="%s">%s</text>`, x, y, muted, escape(text))
}

const monospace = `font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace"`

// letters draws text with characters of one width and returns where it ends; more
// are further attributes.
func (c *canvas) letters(x, y int, s size, fill, more, text string) int {
	c.printf(`<text%s x="%d" y="%d" font-size="%d" fill="%s" textLength="%d" lengthAdjust="spacingAndGlyphs" xml:space="preserve" %s>%s</text>`,
		more, x, y, s, fill, s.wide(text), monospace, escape(text))
	return x + s.wide(text)
}

func (c *canvas) mono(x, y int, s size, fill, text string) int {
	return c.letters(x, y, s, fill, "", text)
}

func (c *canvas) bold(x, y int, s size, fill, text string) int {
	return c.letters(x, y, s, fill, ` font-weight="700"`, text)
}

// value draws the value of a field.
func (c *canvas) value(x, y int, f Field) int {
	if f.Measured {
		return c.letters(x, y, small, ink, " "+measuredClass, f.Value)
	}
	return c.mono(x, y, small, ink, f.Value)
}

// measured draws a figure of this run, at or before or around x as the anchor says.
func (c *canvas) measured(x, y int, anchor, text string) {
	c.printf(`<text %s x="%d" y="%d" font-size="%d" text-anchor="%s" fill="%s" %s>%s</text>`,
		measuredClass, x, y, small, anchor, muted, monospace, escape(text))
}

// marked draws an id in a box of its colour.
func (c *canvas) marked(x, y int, m mark, id string) int {
	c.printf(`<rect x="%d" y="%d" width="%d" height="15" rx="3" fill="%s" stroke="%s" stroke-width="0.8"/>`, x-1, y-11, small.wide(id)+2, m.fill, m.edge)
	return c.letters(x, y, small, ink, " "+measuredClass, id)
}

// frame is a box with an edge.
func (c *canvas) frame(x, y, wide, tall int, fill string) {
	c.printf(`<rect x="%d.5" y="%d.5" width="%d" height="%d" rx="8" fill="%s" stroke="%s"/>`, x, y, wide-1, tall-1, fill, edge)
}

// band shades the upper end of a frame.
func (c *canvas) band(x, y, wide, tall int) {
	c.printf(`<path d="M%d.5 %d v-%d a8 8 0 0 1 8 -8 h%d a8 8 0 0 1 8 8 v%d z" fill="%s" stroke="%s"/>`, x, y+tall, tall-8, wide-17, tall-8, shade, edge)
}

func (c *canvas) rule(x, y, wide int) {
	c.printf(`<path d="M%d %d.5 h%d" stroke="%s"/>`, x+1, y, wide-2, edge)
}

func (c *canvas) grid(x, y, tall int) {
	c.printf(`<path d="M%d %d v%d" stroke="%s" stroke-dasharray="2 3"/>`, x, y, tall, faint)
}

// elbow leads from the span above to this one.
func (c *canvas) elbow(x, y int) {
	c.printf(`<path d="M%d %d v7 h7" fill="none" stroke="%s"/>`, x, y+1, muted)
}

func (c *canvas) track(x, y, wide int) {
	c.printf(`<rect x="%d" y="%d" width="%d" height="%d" rx="2" fill="%s"/>`, x, y, wide, barTall, shade)
}

func (c *canvas) bar(x, y, wide int, fill string, opacity float64) {
	c.printf(`<rect x="%d" y="%d" width="%d" height="%d" rx="2" fill="%s" fill-opacity="%g"/>`, x, y, wide, barTall, fill, opacity)
}

// measuredBar is a bar whose place and width are times.
func (c *canvas) measuredBar(x float64, y int, wide float64, fill string, opacity float64) {
	c.printf(`<rect %s x="%.1f" y="%d" width="%.1f" height="%d" rx="2" fill="%s" fill-opacity="%g"/>`, measuredClass, x, y, wide, barTall, fill, opacity)
}
