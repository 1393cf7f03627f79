package picture_test

import (
	"encoding/xml"
	"errors"
	"io"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/crosscut-go/crosscut/examples/observe/picture"
)

const (
	traceID = "0af7651916cd43dd8448eb211c80319c"
	spanID  = "b7ad6b7169203331"
)

// call returns a call that a test may change.
func call() picture.Call {
	return picture.Call{
		Title: "REST", Outcome: "GET / → 200 OK", TraceID: traceID,
		Spans: []picture.Span{
			{Service: "customer", Kind: "CLIENT", Name: "HTTP GET", ID: "1111111111111111", Duration: 2 * time.Millisecond},
			{
				Service: "shop", Kind: "SERVER", Name: "GET /", ID: spanID, Depth: 1, Start: time.Millisecond / 2, Duration: time.Millisecond,
				Attributes: []picture.Field{{Key: "http.route", Value: "/"}},
			},
		},
		Record: []picture.Field{
			{Key: "duration", Value: "1000000", Measured: true},
			{Key: "code", Value: `"OK"`},
			{Key: "trace_id", Value: `"` + traceID + `"`, Measured: true},
			{Key: "span_id", Value: `"` + spanID + `"`, Measured: true},
		},
	}
}

func draw(left, right picture.Call) string { return picture.Draw("title", "about", left, right) }

// texts returns the text of every element, and fails where the picture is not
// well-formed or has elements that no picture needs.
func texts(t *testing.T, svg string) (list []string) {
	t.Helper()
	dec := xml.NewDecoder(strings.NewReader(svg))
	for {
		token, err := dec.Token()
		switch token := token.(type) {
		case xml.StartElement:
			switch token.Name.Local {
			case "svg", "title", "desc", "rect", "path", "text":
			default:
				t.Errorf("there is an element <%s>", token.Name.Local)
			}
		case xml.CharData:
			list = append(list, string(token))
		}
		if errors.Is(err, io.EOF) {
			return list
		}
		if err != nil {
			t.Fatalf("not well-formed: %v\n%s", err, svg)
		}
	}
}

// TestEscaping puts markup into everything that is drawn.
func TestEscaping(t *testing.T) {
	t.Parallel()
	const bad = `</text><script a="b" c='d'>&amp;]]>` + "\x00"
	const want = `</text><script a="b" c='d'>&amp;]]>` + "\uFFFD" // XML has no NUL
	evil := picture.Call{
		Title: bad, Outcome: bad, TraceID: bad,
		Spans:  []picture.Span{{Service: bad, Kind: bad, Name: bad, ID: bad, Attributes: []picture.Field{{Key: bad, Value: bad}}}},
		Record: []picture.Field{{Key: bad, Value: `"` + bad + `"`}, {Key: bad + "2", Value: bad, Measured: true}},
	}
	svg := picture.Draw(bad, bad, evil, call())
	all := texts(t, svg)
	if n := strings.Count(strings.Join(all, "\n"), want); n < 14 {
		t.Errorf("of what was drawn, %d texts say it to the letter:\n%s", n, svg)
	}
	if strings.Contains(svg, "<script") {
		t.Error("text became markup")
	}
}

// TestTimeless checks that all of the contract of the picture is compared, and that
// nothing else is.
func TestTimeless(t *testing.T) {
	t.Parallel()
	before := picture.Timeless(draw(call(), call()))
	for _, tt := range []struct {
		name   string
		change func(*picture.Call)
		same   bool
	}{
		{"nothing", func(*picture.Call) {}, true},
		{"a duration", func(c *picture.Call) { c.Spans[1].Duration = 70 * time.Millisecond }, true},
		{"a start", func(c *picture.Call) { c.Spans[1].Start = time.Second }, true},
		{"a measured value", func(c *picture.Call) { c.Record[0].Value = "7" }, true},
		{"all ids", func(c *picture.Call) {
			c.TraceID = strings.Repeat("2", 32)
			c.Spans[1].ID = strings.Repeat("3", 16)
			c.Record[2].Value, c.Record[3].Value = `"`+c.TraceID+`"`, `"`+c.Spans[1].ID+`"`
		}, true},
		{"a title", func(c *picture.Call) { c.Title = "HTTP" }, false},
		{"an outcome", func(c *picture.Call) { c.Outcome = "failed" }, false},
		{"a service", func(c *picture.Call) { c.Spans[1].Service = "store" }, false},
		{"a kind", func(c *picture.Call) { c.Spans[1].Kind = "CLIENT" }, false},
		{"a name", func(c *picture.Call) { c.Spans[1].Name = "GET /{id}" }, false},
		{"a depth", func(c *picture.Call) { c.Spans[1].Depth = 0 }, false},
		{"an attribute", func(c *picture.Call) { c.Spans[1].Attributes[0].Key = "route" }, false},
		{"the value of an attribute", func(c *picture.Call) { c.Spans[1].Attributes[0].Value = "/v1" }, false},
		{"no attribute", func(c *picture.Call) { c.Spans[1].Attributes = nil }, false},
		{"a key of the record", func(c *picture.Call) { c.Record[0].Key = "took" }, false},
		{"a value of the record", func(c *picture.Call) { c.Record[1].Value = `"Aborted"` }, false},
		{"one key less", func(c *picture.Call) { c.Record = c.Record[1:] }, false},
		{"the id of another trace in the record", func(c *picture.Call) { c.Record[2].Value = `"` + strings.Repeat("4", 32) + `"` }, false},
		{"the id of another span in the record", func(c *picture.Call) { c.Record[3].Value = `"` + c.Spans[0].ID + `"` }, false},
		{"the id of no span in the record", func(c *picture.Call) { c.Record[3].Value = `"0"` }, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			changed := call()
			tt.change(&changed)
			if same := picture.Timeless(draw(call(), changed)) == before; same != tt.same {
				t.Errorf("with %s changed the picture is the same: %t, want %t", tt.name, same, tt.same)
			}
		})
	}
}

// TestRecordToTheLetter checks that the lines of a record are the record.
func TestRecordToTheLetter(t *testing.T) {
	t.Parallel()
	shown := strings.NewReplacer("\n", "", " ", "").Replace(strings.Join(texts(t, draw(call(), picture.Call{})), ""))
	want := `{"duration":1000000,"code":"OK","trace_id":"` + traceID + `","span_id":"` + spanID + `"}`
	if !strings.Contains(shown, want) {
		t.Errorf("the picture says\n%s\nwithout\n%s", shown, want)
	}
}

// TestRowsAlign gives one call what the other has not: what both have stands at the
// same height.
func TestRowsAlign(t *testing.T) {
	t.Parallel()
	wordy := call()
	for _, key := range []string{"first", "second", "third"} {
		wordy.Spans[0].Attributes = append(wordy.Spans[0].Attributes, picture.Field{Key: key, Value: strings.Repeat("x", 60)})
	}
	wordy.Record = append([]picture.Field{{Key: "only", Value: "1"}}, wordy.Record...)
	brief := call()
	brief.Record = append(brief.Record, picture.Field{Key: "last", Value: "1"})
	heights := map[string][]string{}
	for _, m := range regexp.MustCompile(`<text [^>]* y="(\d+)"[^>]*>([^<]*)<`).FindAllStringSubmatch(draw(wordy, brief), -1) {
		heights[m[2]] = append(heights[m[2]], m[1])
	}
	for _, both := range []string{"GET /", "http.route = ", spanID, ` &#34;code&#34;:`} {
		if h := heights[both]; len(h) != 2 || h[0] != h[1] {
			t.Errorf("%q is at the heights %v, want one height twice", both, h)
		}
	}
	if h := heights["second = "]; len(h) != 1 || h[0] == heights["first = "][0] {
		t.Errorf("a second long attribute is at %v, beside the first or missing", h)
	}
}

// TestBarsStayInside draws calls of any length: each bar is within the width of its
// panel, and the longest fills most of it.
func TestBarsStayInside(t *testing.T) {
	t.Parallel()
	bars := regexp.MustCompile(`<rect class="measured" x="([0-9.]+)" y="\d+" width="([0-9.]+)"`)
	const panel = 456
	for _, longest := range []time.Duration{0, 1, 999, 12345, 8 * time.Millisecond, 8*time.Millisecond + 1, time.Hour} {
		c := call()
		c.Spans[0].Duration, c.Spans[1].Start, c.Spans[1].Duration = longest, longest/2, longest/2
		found := bars.FindAllStringSubmatch(draw(c, c), -1)
		if len(found) != 4 {
			t.Fatalf("%d bars, want 4", len(found))
		}
		for i, m := range found {
			from, wide := number(t, m[1]), number(t, m[2])
			least := 25.0 + float64(i%2)*494
			if wide < 1.5 || from < least || from+wide > least+panel+2 {
				t.Errorf("with %v bar %d is at %g, %g wide, not within %d from %g", longest, i, from, wide, panel, least)
			}
			if i < 2 && longest > time.Microsecond && wide < panel*0.7 {
				t.Errorf("with %v the longest bar is only %g wide", longest, wide)
			}
		}
	}
}

func number(t *testing.T, text string) float64 {
	t.Helper()
	n, err := strconv.ParseFloat(text, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n
}
