package main

import (
	"fmt"
	"html"
	"math"
	"strings"
)

// series is a line of a plot.
type series struct {
	name   string
	points []point
}

// bar is a bar of a plot.
type bar struct {
	name  string
	value float64
}

// The plots have one size; what is drawn is inside of the margins.
const (
	width, height = 760, 420
	left, right   = 70, 24
	top, bottom   = 48, 54
)

var colours = []string{"#0072b2", "#d55e00", "#009e73"} // told apart by everyone

// canvas is an SVG under construction.
type canvas struct{ strings.Builder }

func newCanvas(title string, height int) *canvas {
	c := &canvas{}
	c.printf(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" font-family="sans-serif" font-size="13">`+"\n", width, height)
	c.printf(`<rect width="%d" height="%d" fill="white"/>`+"\n", width, height)
	c.text(left, 26, "start", title)
	return c
}

func (c *canvas) printf(format string, args ...any) { c.WriteString(fmt.Sprintf(format, args...)) }

func (c *canvas) text(x, y float64, anchor, text string) {
	c.printf(`<text x="%.1f" y="%.1f" text-anchor="%s">%s</text>`+"\n", x, y, anchor, html.EscapeString(text))
}

func (c *canvas) line(x1, y1, x2, y2 float64, colour string) {
	c.printf(`<line x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f" stroke="%s"/>`+"\n", x1, y1, x2, y2, colour)
}

func (c *canvas) end() string { return c.String() + "</svg>\n" }

// plotLines draws points with the line that fits them, each series from its own
// value at the first point, so that what grows can be compared.
func plotLines(title, xs, ys string, list []series) string {
	c := newCanvas(title, height)
	maxX, maxY := 1.0, 1.0
	for _, s := range list {
		for _, p := range s.points {
			maxX, maxY = max(maxX, p.x), max(maxY, p.y-s.points[0].y)
		}
	}
	maxY = roundUp(maxY)
	x := func(v float64) float64 { return left + v/maxX*(width-left-right) }
	y := func(v float64) float64 { return height - bottom - v/maxY*(height-top-bottom) }
	for i := range 5 {
		v := maxY * float64(i) / 4
		c.line(left, y(v), width-right, y(v), "#dddddd")
		c.text(left-8, y(v)+4, "end", fmt.Sprintf("%.0f", v))
		c.text(x(maxX*float64(i)/4), height-bottom+20, "middle", fmt.Sprintf("%.0f", maxX*float64(i)/4))
	}
	c.text((left+width-right)/2, height-12, "middle", xs)
	c.text(left, top-6, "start", ys)
	for i, s := range list {
		colour := colours[i%len(colours)]
		slope, at0, r2 := fit(s.points)
		from := s.points[0].y
		for _, p := range s.points {
			c.printf(`<circle cx="%.1f" cy="%.1f" r="4" fill="%s"/>`+"\n", x(p.x), y(p.y-from), colour)
		}
		c.line(x(0), y(at0-from), x(maxX), y(at0+slope*maxX-from), colour)
		c.printf(`<g fill="%s">`, colour)
		c.text(left+16, top+18+float64(i)*18, "start", fmt.Sprintf("%s: %.1f ns a hook, r² = %.3f", s.name, slope, r2))
		c.WriteString("</g>\n")
	}
	return c.end()
}

// plotBars draws a bar for each value, with its name.
func plotBars(title, unit string, bars []bar) string {
	const each, names = 34, 250
	c := newCanvas(title, top+each*len(bars)+16)
	longest := 1.0
	for _, b := range bars {
		longest = max(longest, b.value)
	}
	for i, b := range bars {
		y := float64(top + each*i)
		colour := "#999999"
		if strings.HasPrefix(b.name, "crosscut") {
			colour = colours[0]
		}
		w := b.value / longest * (width - names - right - 80)
		c.text(names-10, y+19, "end", b.name)
		c.printf(`<rect x="%d" y="%.1f" width="%.1f" height="%d" fill="%s"/>`+"\n", names, y+4, w, each-12, colour)
		c.text(names+w+8, y+19, "start", fmt.Sprintf("%.1f %s", b.value, unit))
	}
	return c.end()
}

// roundUp returns the next number that begins with 1, 2, 4 or 8.
func roundUp(v float64) float64 {
	size := math.Pow(10, math.Floor(math.Log10(v)))
	for _, first := range []float64{1, 2, 4, 8} {
		if v <= first*size {
			return first * size
		}
	}
	return 10 * size
}
