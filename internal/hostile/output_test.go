package hostile_test

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
)

// output is everything the server says to its operator: log, reports, the error log
// of net/http. It is scanned while it is written.
type output struct {
	mu      sync.Mutex
	secrets secrets
	records map[string]int // records about calls, by their method
	last    record         // the newest of them
	lines   []string       // the newest lines, whatever they are
	leaks   []string
	verbs   map[string]bool // HTTP methods in records
}

// record is what the tests read of a log record.
type record struct {
	Message string `json:"msg"`
	Method  string `json:"method"`
	Code    string `json:"code"`
	Verb    string `json:"http_method"`
	Denied  bool   `json:"denied"`
	Client  string `json:"client_address"`
	Error   string `json:"error"`
}

func newOutput() *output { return &output{records: map[string]int{}, verbs: map[string]bool{}} }

// Write takes one line. It is the sink of the log.
func (o *output) Write(line []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if part := o.secrets.in(line); part != "" {
		o.leaks = append(o.leaks, fmt.Sprintf("%q in %s", part, line))
	}
	if text, ended := bytes.CutSuffix(line, []byte("\n")); !ended || bytes.ContainsAny(text, "\n\r\x1b") {
		o.leaks = append(o.leaks, fmt.Sprintf("not one line: %q", line))
	}
	var r record
	if err := json.Unmarshal(line, &r); err == nil && r.Message == "call" {
		o.records[r.Method]++
		if r.Verb != "" {
			o.verbs[r.Verb] = true
		}
		o.last = r
	}
	if o.lines = append(o.lines, string(line)); len(o.lines) > 64 {
		o.lines = o.lines[32:]
	}
	return len(line), nil
}

// tell takes a text that is not a record.
func (o *output) tell(text string) { _, _ = fmt.Fprintf(o, "%q\n", text) }

// hide says what must not be written from now on.
func (o *output) hide(values ...string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, v := range values {
		o.secrets.add(v)
	}
}

// leaksIn looks for secrets in what a client got.
func (o *output) leaksIn(b []byte) string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.secrets.in(b)
}

// take returns what was written since the last time.
func (o *output) take() (records map[string]int, last record, lines, leaks []string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	records, last, lines, leaks = o.records, o.last, o.lines, o.leaks
	o.records, o.lines, o.leaks = map[string]int{}, nil, nil
	return records, last, lines, leaks
}

// secrets is a set of texts, found also by any eight bytes of theirs in a row.
type secrets struct {
	windows map[uint64]bool
	short   []string
}

const window = 8

func (s *secrets) add(secret string) {
	if s.windows == nil {
		s.windows = map[uint64]bool{}
	}
	if len(secret) < window {
		s.short = append(s.short, secret)
		return
	}
	secret = secret[:min(len(secret), 64<<10)]
	for i := range len(secret) - window + 1 {
		s.windows[binary.LittleEndian.Uint64([]byte(secret[i:i+window]))] = true
	}
}

// in returns the first part of a secret that is in b, or "".
func (s *secrets) in(b []byte) string {
	for _, short := range s.short {
		if bytes.Contains(b, []byte(short)) {
			return short
		}
	}
	for i := range max(0, len(b)-window+1) {
		if part := b[i : i+window]; s.windows[binary.LittleEndian.Uint64(part)] {
			return string(part)
		}
	}
	return ""
}

// credentialIn is what of a header field is a secret: everything after the scheme, in
// the headers that hold credentials.
func credentialIn(field string) string {
	name, value, _ := strings.Cut(field, ": ")
	lower := strings.ToLower(name)
	if !strings.Contains(lower, "authorization") && lower != "x-api-key" && lower != "cookie" {
		return ""
	}
	if scheme, rest, ok := strings.Cut(value, " "); ok && !strings.Contains(scheme, ".") {
		value = rest
	}
	if lower == "x-api-key" { // what stands before the secret is public
		value = value[strings.LastIndexByte(value, '_')+1:]
	}
	if _, session, ok := strings.Cut(value, "="); ok && lower == "cookie" {
		value = session
	}
	if len(value) < window {
		return ""
	}
	return value
}
