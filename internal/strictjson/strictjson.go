// Package strictjson reads JSON objects that come from strangers and are about to be trusted: claims of tokens, key
// sets. It refuses whatever two readers could understand differently. encoding/json takes the last of two members of
// one name and replaces bytes that are not UTF-8; both would let a checker and a user see different values.
package strictjson

import (
	"errors"
	"math"
	"strconv"
	"unicode/utf8"
)

// maxNumber is 2^53: integers beyond it are not exact in most readers (RFC 8259 section 6).
const maxNumber = 1 << 53

// The errors of Object. None repeats any of the input.
var (
	errSyntax    = errors.New("not valid JSON")
	errNotObject = errors.New("not a JSON object")
	errTrailing  = errors.New("something follows the JSON object")
	errDepth     = errors.New("JSON nested too deep")
	errDuplicate = errors.New("two members of a JSON object have one name")
	errNumber    = errors.New("a JSON number beyond 2^53")
	errText      = errors.New("a JSON text that is not valid UTF-8 or has half a surrogate pair")
)

// Object parses data, which must be a single JSON object (RFC 8259) with nothing but white space around it. Values
// are those encoding/json makes for any: map[string]any, []any, string, float64, bool and nil; strings may share
// memory with data.
//
// Objects and arrays deeper than maxDepth, the outermost being 1, members that occur twice in one object, numbers
// beyond ±2^53, text that is not UTF-8, and escapes for half a surrogate pair are errors. Errors are fixed texts.
func Object(data string, maxDepth int) (map[string]any, error) {
	p := parser{data: data, depth: maxDepth}
	p.space()
	if p.peek() != '{' {
		return nil, errNotObject
	}
	value, err := p.value()
	if err != nil {
		return nil, err
	}
	p.space()
	if p.pos != len(p.data) {
		return nil, errTrailing
	}
	object, _ := value.(map[string]any)
	return object, nil
}

type parser struct {
	data  string
	pos   int
	depth int // how many levels may still be opened
}

// peek returns the next byte, or 0 at the end: no JSON text outside of strings has one.
func (p *parser) peek() byte {
	if p.pos < len(p.data) {
		return p.data[p.pos]
	}
	return 0
}

func (p *parser) space() {
	for p.pos < len(p.data) {
		switch p.data[p.pos] {
		case ' ', '\t', '\n', '\r':
			p.pos++
		default:
			return
		}
	}
}

// take consumes b after white space, if it is next.
func (p *parser) take(b byte) bool {
	p.space()
	if p.peek() != b {
		return false
	}
	p.pos++
	return true
}

func (p *parser) value() (any, error) {
	p.space()
	switch b := p.peek(); {
	case b == '{':
		return p.nested(p.object)
	case b == '[':
		return p.nested(p.array)
	case b == '"':
		return p.text()
	case b == '-' || '0' <= b && b <= '9':
		return p.number()
	case b == 't':
		return true, p.word("true")
	case b == 'f':
		return false, p.word("false")
	case b == 'n':
		return nil, p.word("null")
	}
	return nil, errSyntax
}

func (p *parser) word(w string) error {
	if len(p.data)-p.pos < len(w) || p.data[p.pos:p.pos+len(w)] != w {
		return errSyntax
	}
	p.pos += len(w)
	return nil
}

// nested parses what begins with a bracket, one level deeper.
func (p *parser) nested(parse func() (any, error)) (any, error) {
	if p.depth == 0 {
		return nil, errDepth
	}
	p.depth--
	p.pos++
	value, err := parse()
	p.depth++
	return value, err
}

func (p *parser) object() (any, error) {
	object := map[string]any{}
	if p.take('}') {
		return object, nil
	}
	for {
		p.space()
		if p.peek() != '"' {
			return nil, errSyntax
		}
		name, err := p.text()
		if err != nil {
			return nil, err
		}
		if _, twice := object[name]; twice {
			return nil, errDuplicate
		}
		if !p.take(':') {
			return nil, errSyntax
		}
		if object[name], err = p.value(); err != nil {
			return nil, err
		}
		switch {
		case p.take(','):
		case p.take('}'):
			return object, nil
		default:
			return nil, errSyntax
		}
	}
}

func (p *parser) array() (any, error) {
	array := []any{}
	if p.take(']') {
		return array, nil
	}
	for {
		value, err := p.value()
		if err != nil {
			return nil, err
		}
		array = append(array, value)
		switch {
		case p.take(','):
		case p.take(']'):
			return array, nil
		default:
			return nil, errSyntax
		}
	}
}

// number parses by the grammar of RFC 8259 section 6, which is narrower than that of strconv.
func (p *parser) number() (any, error) {
	start := p.pos
	if p.peek() == '-' {
		p.pos++
	}
	switch b := p.peek(); {
	case b == '0':
		p.pos++
	case p.digits() == 0:
		return nil, errSyntax
	}
	if p.peek() == '.' {
		p.pos++
		if p.digits() == 0 {
			return nil, errSyntax
		}
	}
	if b := p.peek(); b == 'e' || b == 'E' {
		p.pos++
		if b := p.peek(); b == '+' || b == '-' {
			p.pos++
		}
		if p.digits() == 0 {
			return nil, errSyntax
		}
	}
	n, err := strconv.ParseFloat(p.data[start:p.pos], 64)
	if err != nil || math.Abs(n) > maxNumber {
		return nil, errNumber
	}
	return n, nil
}

func (p *parser) digits() int {
	start := p.pos
	for b := p.peek(); '0' <= b && b <= '9'; b = p.peek() {
		p.pos++
	}
	return p.pos - start
}

// text parses a string. Most have no escapes and are part of the input as they are.
func (p *parser) text() (string, error) {
	p.pos++ // the quote
	start := p.pos
	for p.pos < len(p.data) {
		switch b := p.data[p.pos]; {
		case b == '"':
			s := p.data[start:p.pos]
			p.pos++
			if !utf8.ValidString(s) {
				return "", errText
			}
			return s, nil
		case b == '\\':
			return p.escaped(start)
		case b < ' ':
			return "", errSyntax
		}
		p.pos++
	}
	return "", errSyntax
}
