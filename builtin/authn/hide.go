package authn

import (
	"fmt"
	"strings"
)

const (
	hidden = "[credential]"
	// maxText bounds the text kept of a verifier's error or panic.
	maxText = 1 << 10
	// minPart is how many characters of a credential in a row count as a part of
	// it. Fewer occur in ordinary words.
	minPart = 8
)

// hiddenError is the error of a verifier without the credential in its text. The
// error itself stays reachable for errors.Is and errors.As.
type hiddenError struct {
	text string
	err  error
}

func (e *hiddenError) Error() string { return e.text }
func (e *hiddenError) Unwrap() error { return e.err }

func hide(err error, credential string) error {
	return &hiddenError{"authn: the verifier refused: " + withoutCredential(err.Error(), credential), err}
}

// hidePanic is deferred around verifiers. A panic goes on as it was, unless its
// text would bring the credential into a log.
func hidePanic(credential string) {
	value := recover()
	if value == nil {
		return
	}
	text := fmt.Sprint(value)
	clean := withoutCredential(text, credential)
	if clean == text {
		panic(value)
	}
	if err, ok := value.(error); ok {
		panic(&hiddenError{clean, err})
	}
	panic(clean)
}

// withoutCredential returns text, cut to a bounded length, with every word that
// shares a part with the credential replaced.
func withoutCredential(text, credential string) string {
	text = shortened(text)
	if credential == "" { // that of a connection, which is no secret
		return text
	}
	if len(credential) < minPart {
		return strings.ReplaceAll(text, credential, hidden)
	}
	var b strings.Builder
	for text != "" {
		n := run(text)
		if sharesPart(text[:n], credential) {
			b.WriteString(hidden)
		} else {
			b.WriteString(text[:n])
		}
		if n < len(text) {
			b.WriteByte(text[n])
			n++
		}
		text = text[n:]
	}
	return b.String()
}

// shortened cuts text between two words, so that no part of a credential is left
// that is too short to be recognised.
func shortened(text string) string {
	if len(text) <= maxText {
		return text
	}
	text = text[:maxText]
	for text != "" && run(text[len(text)-1:]) == 1 {
		text = text[:len(text)-1]
	}
	return strings.ToValidUTF8(text, "") + "…"
}

// run returns how many bytes at the start of text could belong to a credential.
func run(text string) int {
	for i := range len(text) {
		if !credentialByte(text[i]) && text[i] != '=' {
			return i
		}
	}
	return len(text)
}

func sharesPart(word, credential string) bool {
	for i := 0; i+minPart <= len(word); i++ {
		if strings.Contains(credential, word[i:i+minPart]) {
			return true
		}
	}
	return false
}
