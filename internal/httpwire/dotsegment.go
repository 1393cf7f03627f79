package httpwire

import "strings"

// HasDotSegment tells whether the decoded path has a "." or ".." segment. Under
// a wildcard it would become part of a parameter, and whatever resolves it later
// leaves the place that was decided about. Clients resolve dot segments before
// they send (RFC 3986 section 5.2.4); a backslash counts as a slash because
// handlers that end at a file system may take it for one.
func HasDotSegment(path string) bool {
	if !strings.Contains(path, ".") {
		return false
	}
	for path != "" {
		end := strings.IndexAny(path, `/\`)
		segment := path
		if end >= 0 {
			segment, path = path[:end], path[end+1:]
		} else {
			path = ""
		}
		if segment == "." || segment == ".." {
			return true
		}
	}
	return false
}
