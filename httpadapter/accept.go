package httpadapter

import (
	"mime"
	"strconv"
	"strings"
)

const problemType = "application/problem+json"

// The bounds of an Accept header that is read: browsers send fewer than ten types.
const (
	maxAccepted     = 64
	maxAcceptedItem = 256
)

// prefersProblem tells whether the Accept header asks for problem details by
// name, and not less than for plain JSON. Wildcards do not ask for them: the
// default format suits those. Of a list that no client has a use for only the
// beginning counts: whoever is refused chooses its length.
func prefersProblem(accept []string) bool {
	problem, plain := 0.0, 0.0
	items := 0
	for _, line := range accept {
		for item := range strings.SplitSeq(line, ",") {
			if items++; items > maxAccepted {
				return problem > 0 && problem >= plain
			}
			if len(item) > maxAcceptedItem {
				continue
			}
			mediaType, params, err := mime.ParseMediaType(item)
			if err != nil {
				continue
			}
			switch mediaType {
			case problemType:
				problem = max(problem, quality(params["q"]))
			case "application/json":
				plain = max(plain, quality(params["q"]))
			}
		}
	}
	return problem > 0 && problem >= plain
}

// quality reads a weight (RFC 9110 section 12.4.2); a bad one weighs nothing.
func quality(q string) float64 {
	if q == "" {
		return 1
	}
	v, err := strconv.ParseFloat(q, 64)
	if err != nil || v != v || v < 0 || v > 1 {
		return 0
	}
	return v
}
