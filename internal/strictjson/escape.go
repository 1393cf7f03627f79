package strictjson

import (
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// escaped parses the rest of a string that began at start and has its first backslash here.
func (p *parser) escaped(start int) (string, error) {
	text := []byte(p.data[start:p.pos])
	for p.pos < len(p.data) {
		b := p.data[p.pos]
		p.pos++
		switch {
		case b == '"':
			if !utf8.Valid(text) {
				return "", errText
			}
			return string(text), nil
		case b < ' ':
			return "", errSyntax
		case b != '\\':
			text = append(text, b)
			continue
		}
		r, err := p.escape()
		if err != nil {
			return "", err
		}
		text = utf8.AppendRune(text, r)
	}
	return "", errSyntax
}

// escape parses what follows a backslash.
func (p *parser) escape() (rune, error) {
	b := p.peek()
	p.pos++
	switch b {
	case '"', '\\', '/':
		return rune(b), nil
	case 'b':
		return '\b', nil
	case 'f':
		return '\f', nil
	case 'n':
		return '\n', nil
	case 'r':
		return '\r', nil
	case 't':
		return '\t', nil
	case 'u':
		return p.unicode()
	}
	return 0, errSyntax
}

// unicode parses four hexadecimal digits, and for the first half of a surrogate pair the second one too.
func (p *parser) unicode() (rune, error) {
	r, err := p.hex()
	if err != nil || !utf16.IsSurrogate(r) {
		return r, err
	}
	if p.word(`\u`) != nil {
		return 0, errText
	}
	second, err := p.hex()
	if err != nil {
		return 0, err
	}
	if r = utf16.DecodeRune(r, second); r == utf8.RuneError {
		return 0, errText
	}
	return r, nil
}

func (p *parser) hex() (rune, error) {
	if len(p.data)-p.pos < 4 {
		return 0, errSyntax
	}
	digits := p.data[p.pos : p.pos+4]
	for i := range len(digits) {
		b := digits[i]
		if lower := b | 0x20; (b < '0' || b > '9') && (lower < 'a' || lower > 'f') {
			return 0, errSyntax
		}
	}
	p.pos += 4
	n, err := strconv.ParseUint(digits, 16, 16)
	return rune(n), err
}
