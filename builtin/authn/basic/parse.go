package basic

import (
	"encoding/base64"
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	maxID = 255
	// maxPassword is what bcrypt reads. Reading less than the caller sent would make
	// many passwords right.
	maxPassword = 72
)

// parse splits a credential as RFC 7617 section 2 makes it. The password may have
// colons, the user id has none.
func parse(credential string) (id, password string, err error) {
	if base64.StdEncoding.DecodedLen(len(credential)) > maxID+1+maxPassword+2 {
		return "", "", errLong
	}
	decoded, err := base64.StdEncoding.Strict().DecodeString(credential)
	if err != nil || strings.ContainsAny(credential, "\r\n") { // which base64 skips
		return "", "", errForm // its error would tell something of the bytes
	}
	id, password, ok := strings.Cut(string(decoded), ":")
	switch {
	case len(id) > maxID || len(password) > maxPassword:
		return "", "", errLong
	case !ok || !validID(id) || !text(password):
		return "", "", errForm
	}
	return id, password, nil
}

// validID tells whether a caller could send the user id.
func validID(id string) bool {
	return text(id) && len(id) <= maxID && !strings.Contains(id, ":")
}

// text tells whether s is some UTF-8 without control characters.
func text(s string) bool {
	return s != "" && utf8.ValidString(s) && !strings.ContainsFunc(s, unicode.IsControl)
}
