package main

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/crosscut-go/crosscut/examples/observe/picture"
)

// telling are the attributes that the picture shows of a span that has them.
// Testdata/tour.golden has them all.
var telling = []string{
	"http.route", "http.response.status_code",
	"rpc.system.name", "rpc.method", "rpc.response.status_code",
	"error.type", string(shelfKey),
}

// measured are the keys of a log record whose values are other ones in every run.
// How many bytes a REST client gets is one of them: protojson varies its spaces, so
// that nobody takes them for granted.
var measured = []string{"time", "duration", "peer", "request_id", "sent_bytes", "trace_id", "span_id"}

// writePicture draws the traces and log records of one call over each transport
// into a file.
func (t *tour) writePicture(ctx context.Context, file string) error {
	svg, err := t.picture(ctx)
	if err != nil {
		return err
	}
	return os.WriteFile(file, []byte(svg), 0o644) //nolint:gosec // documentation is for everybody to read
}

// picture makes the calls and draws them. The ones before are left out: they take
// most of their time to connect.
func (t *tour) picture(ctx context.Context) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, 60*time.Second)
	defer cancel()
	disconnect, err := t.connect()
	if err != nil {
		return "", err
	}
	defer disconnect()
	const book = "1"
	if _, err := t.record(ctx, book); err != nil {
		return "", err
	}
	both, err := t.record(ctx, book)
	if err != nil {
		return "", err
	}
	var calls [2]picture.Call
	for i, asked := range []string{"GET /v1/books/" + book, "GetBook " + book} {
		if calls[i], err = drawable(both[i], asked); err != nil {
			return "", err
		}
	}
	return picture.Draw("One call over REST and over gRPC, as one list of hooks reports it",
		"Spans exported over OTLP by examples/observe, and the log record of each call, as they were recorded by make pictures",
		calls[0], calls[1]), nil
}

// drawable turns a recording into what is drawn of it.
func drawable(r recording, asked string) (picture.Call, error) {
	record, err := fields(r.logged)
	if err != nil {
		return picture.Call{}, fmt.Errorf("the log record is not one line of JSON: %w", err)
	}
	call := picture.Call{Title: r.title, Outcome: asked + " → " + r.got, TraceID: r.id, Record: record}
	for _, root := range roots(r.spans) {
		call.Spans = appendBranch(call.Spans, r.spans, root, root.GetStartTimeUnixNano(), 0)
	}
	return call, nil
}

// appendBranch appends a span and then what is below it.
func appendBranch(to []picture.Span, spans []span, s span, began uint64, depth int) []picture.Span {
	to = append(to, picture.Span{
		Service:    s.service,
		Kind:       kind(s),
		Name:       short(s.GetName()),
		ID:         hex.EncodeToString(s.GetSpanId()),
		Depth:      depth,
		Start:      between(began, s.GetStartTimeUnixNano()),
		Duration:   between(s.GetStartTimeUnixNano(), s.GetEndTimeUnixNano()),
		Attributes: tellingOf(s),
	})
	for _, child := range causedBy(spans, s) {
		to = appendBranch(to, spans, child, began, depth+1)
	}
	return to
}

// between returns the time from one moment to another, both in nanoseconds since
// 1970, and none if a clock was set back in the meantime.
func between(from, to uint64) time.Duration { return time.Duration(max(from, to) - from) } //nolint:gosec // of minutes at most

// tellingOf returns the attributes of a span to show, without those that repeat its
// name.
func tellingOf(s span) (list []picture.Field) {
	attrs := attributesOf(s.GetAttributes())
	for _, key := range telling {
		if value, ok := attrs[key]; ok && value != s.GetName() {
			list = append(list, picture.Field{Key: key, Value: short(value)})
		}
	}
	return list
}

// fields takes a log record apart into its keys and values, each to the letter.
func fields(record string) (list []picture.Field, err error) {
	dec := json.NewDecoder(strings.NewReader(record))
	if _, err := dec.Token(); err != nil { // the opening brace
		return nil, err
	}
	for dec.More() {
		key, err := dec.Token()
		if err != nil {
			return nil, err
		}
		var value json.RawMessage
		if err := dec.Decode(&value); err != nil {
			return nil, err
		}
		name := fmt.Sprint(key)
		list = append(list, picture.Field{Key: name, Value: string(value), Measured: slices.Contains(measured, name)})
	}
	_, err = dec.Token() // the closing brace
	return list, err
}
