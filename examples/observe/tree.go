package main

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	commonpb "go.opentelemetry.io/proto/otlp/common/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
)

// printSideBySide prints columns of lines beside each other.
func printSideBySide(out io.Writer, left, right []string) error {
	width := 0
	for _, line := range left {
		width = max(width, utf8.RuneCountInString(line))
	}
	for i := range max(len(left), len(right)) {
		var l, r string
		if i < len(left) {
			l = left[i]
		}
		if i < len(right) {
			r = right[i]
		}
		pad := strings.Repeat(" ", width-utf8.RuneCountInString(l))
		if _, err := fmt.Fprintln(out, strings.TrimRight("  "+l+pad+"  │ "+r, " ")); err != nil {
			return err
		}
	}
	return nil
}

// tree draws a trace, a span below the one that caused it.
func tree(spans []span) []string {
	var lines []string
	for _, s := range roots(spans) {
		lines = append(lines, branch(spans, s, "", "")...)
	}
	return lines
}

// branch draws a span and what is below it; head leads its first line and rest all
// others.
func branch(spans []span, s span, head, rest string) []string {
	below := causedBy(spans, s)
	lines := []string{head + title(s)}
	stem := rest + "  "
	if len(below) > 0 {
		stem = rest + "│ "
	}
	for _, line := range details(s) {
		lines = append(lines, stem+line)
	}
	for i, child := range below {
		if i == len(below)-1 {
			lines = append(lines, branch(spans, child, rest+"└─", rest+"  ")...)
		} else {
			lines = append(lines, branch(spans, child, rest+"├─", rest+"│ ")...)
		}
	}
	return lines
}

// roots returns the spans that none of the others caused.
func roots(spans []span) []span {
	known := map[string]bool{}
	for _, s := range spans {
		known[string(s.GetSpanId())] = true
	}
	return slices.DeleteFunc(inOrder(spans), func(s span) bool { return known[string(s.GetParentSpanId())] })
}

// causedBy returns the spans directly below one.
func causedBy(spans []span, s span) []span {
	return slices.DeleteFunc(inOrder(spans), func(other span) bool {
		return !bytes.Equal(other.GetParentSpanId(), s.GetSpanId())
	})
}

func inOrder(spans []span) []span {
	return slices.SortedStableFunc(slices.Values(spans), func(a, b span) int {
		return int(a.GetStartTimeUnixNano()) - int(b.GetStartTimeUnixNano())
	})
}

func title(s span) string {
	return fmt.Sprintf("%s %s: %s", s.service, kind(s), short(s.GetName()))
}

func kind(s span) string { return strings.TrimPrefix(s.GetKind().String(), "SPAN_KIND_") }

// details are the attributes of a span that do not tell addresses, and how it
// ended.
func details(s span) []string {
	var lines []string
	attrs := attributesOf(s.GetAttributes())
	for _, key := range slices.Sorted(maps.Keys(attrs)) {
		if !isAddress(key) {
			lines = append(lines, key+" = "+short(attrs[key]))
		}
	}
	if s.GetStatus().GetCode() == tracepb.Status_STATUS_CODE_ERROR {
		lines = append(lines, strings.TrimSpace("ERROR "+s.GetStatus().GetMessage()))
	}
	return lines
}

// isAddress tells whether an attribute says where something is, which is different
// on every machine, or with which program it was asked for.
func isAddress(key string) bool {
	return strings.HasPrefix(key, "server.") || strings.HasPrefix(key, "network.peer.") ||
		key == "client.address" || key == "user_agent.original" || key == "url.full"
}

// short leaves the package out of the name of a service, so that two columns fit a
// screen.
func short(text string) string {
	return strings.ReplaceAll(text, "crosscut.examples.bookshop.v1.", "")
}

// attributesOf returns attributes as text.
func attributesOf(list []*commonpb.KeyValue) map[string]string {
	attrs := map[string]string{}
	for _, kv := range list {
		switch v := kv.GetValue().GetValue().(type) {
		case *commonpb.AnyValue_StringValue:
			attrs[kv.GetKey()] = v.StringValue
		case *commonpb.AnyValue_IntValue:
			attrs[kv.GetKey()] = strconv.FormatInt(v.IntValue, 10)
		default:
			attrs[kv.GetKey()] = kv.GetValue().String()
		}
	}
	return attrs
}
