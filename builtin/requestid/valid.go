package requestid

// Valid tells whether id is one that the hook accepts from clients and from
// generators; the package comment has the rule.
func Valid(id string) bool {
	if id == "" || len(id) > MaxLen || !alphanumeric(id[0]) {
		return false
	}
	for i := 1; i < len(id); i++ {
		if b := id[i]; !alphanumeric(b) && !punctuation(b) {
			return false
		}
	}
	return true
}

func alphanumeric(b byte) bool {
	lower := b | 0x20
	return '0' <= b && b <= '9' || 'a' <= lower && lower <= 'z'
}

// punctuation has what UUIDs, ULIDs, trace ids and most of base64 need. The slash
// is not there so that an id is always one path segment, and the comma not so
// that two ids joined by a proxy are not one.
func punctuation(b byte) bool {
	switch b {
	case '-', '_', '.', ':', '=', '+', '~':
		return true
	}
	return false
}
