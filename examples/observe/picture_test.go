package main

import (
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/crosscut-go/crosscut/examples/observe/picture"
)

const drawn = "../../docs/traces.svg"

// TestPictureIsCurrent makes the calls again: the picture has to be what they give,
// but for ids, times and durations.
func TestPictureIsCurrent(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "traces.svg")
	if err := run(t.Context(), append([]string{"-picture", file}, anywhere...), io.Discard); err != nil {
		t.Fatal(err)
	}
	fresh, committed := timeless(t, file), timeless(t, drawn)
	for i := range max(len(fresh), len(committed)) {
		if want, got := at(fresh, i), at(committed, i); got != want {
			t.Fatalf("%s is not what the servers report; run make pictures and look at it. Line %d is\n%s\nand not\n%s", drawn, i+1, got, want)
		}
	}
}

// TestPictureShowsTheCalls compares the committed picture with what a run gives,
// whatever the code that draws it makes of that.
func TestPictureShowsTheCalls(t *testing.T) {
	t.Parallel()
	tour := &tour{system: startForTest(t)}
	disconnect, err := tour.connect()
	if err != nil {
		t.Fatal(err)
	}
	defer disconnect()
	both, err := tour.record(t.Context(), "1")
	if err != nil {
		t.Fatal(err)
	}
	var want []string // texts
	for _, r := range both {
		want = append(want, r.title)
		for _, s := range r.spans {
			want = append(want, s.service, kind(s), short(s.GetName()))
			attrs := attributesOf(s.GetAttributes())
			for _, key := range telling {
				if value := attrs[key]; value != "" && value != s.GetName() {
					want = append(want, key+" = ", short(value))
				}
			}
		}
		var record map[string]any
		if err := json.Unmarshal([]byte(r.logged), &record); err != nil {
			t.Fatal(err)
		}
		for key := range record {
			want = append(want, `"`+key+`":`)
		}
	}
	got := texts(t, drawn)
	for _, text := range want {
		i := slices.Index(got, text)
		if i < 0 {
			t.Fatalf("%s does not show %q, or not as often as it was recorded; run make pictures", drawn, text)
		}
		got = slices.Delete(got, i, i+1)
	}
	for _, text := range got {
		if strings.HasSuffix(text, " = ") || strings.HasSuffix(text, `":`) {
			t.Errorf("%s shows %q, which was not recorded; run make pictures", drawn, text)
		}
	}
}

// TestPictureMarksItsIDs checks that the ids that the committed picture has at a trace
// and at its logged span are the ones in the log record.
func TestPictureMarksItsIDs(t *testing.T) {
	t.Parallel()
	all := texts(t, drawn)
	ids := 0
	for _, text := range all {
		if !strings.HasPrefix(text, `"`) && (len(text) == 32 || len(text) == 16) && strings.Trim(text, "0123456789abcdef") == "" {
			ids++
			if !slices.Contains(all, `"`+text+`"`) {
				t.Errorf("the id %s is in no log record", text)
			}
		}
	}
	if ids != 4 {
		t.Errorf("%d ids stand at traces and spans, want two traces and a span of each", ids)
	}
}

func TestPictureNeedsARecord(t *testing.T) {
	t.Parallel()
	for _, logged := range []string{"", "{", `{"a"`, `{"a":`, `{"a":1,`} {
		if _, err := drawable(recording{logged: logged}, ""); err == nil {
			t.Errorf("the record %q is drawn", logged)
		}
	}
}

// TestBetween checks that a clock that was set back gives a bar all the same.
func TestBetween(t *testing.T) {
	t.Parallel()
	if forth, back := between(5, 7), between(7, 5); forth != 2 || back != 0 {
		t.Errorf("between = %d forwards and %d backwards, want 2 and 0", forth, back)
	}
}

// timeless returns the lines of a picture that are the same in every run.
func timeless(t *testing.T, file string) []string {
	t.Helper()
	svg, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(picture.Timeless(string(svg)), "\n")
}

func at(lines []string, i int) string {
	if i < len(lines) {
		return lines[i]
	}
	return "(nothing)"
}

// texts returns what a picture says, a text element each, without the commas and
// the brace of a record.
func texts(t *testing.T, file string) (list []string) {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	dec := xml.NewDecoder(f)
	inText := false
	for {
		token, err := dec.Token()
		if errors.Is(err, io.EOF) {
			return list
		}
		if err != nil {
			t.Fatalf("%s is not XML: %v", file, err)
		}
		switch token := token.(type) {
		case xml.StartElement:
			inText = token.Name.Local == "text"
		case xml.CharData:
			if text := string(token); inText && strings.TrimSpace(text) != "" {
				if strings.HasSuffix(text, `":`) {
					text = text[1:]
				}
				list = append(list, text)
			}
		case xml.EndElement:
			inText = false
		}
	}
}
