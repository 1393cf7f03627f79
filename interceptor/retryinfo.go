package interceptor

import (
	"strconv"

	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protowire"
)

// retryAfter returns the seconds of a google.rpc.RetryInfo detail, rounded up, as
// Retry-After wants them. It reads the two nested fields it needs, so that the
// core does not link the error detail types.
func retryAfter(st *status.Status) (string, bool) {
	for _, d := range st.Proto().GetDetails() {
		if detailName(d) != "google.rpc.RetryInfo" {
			continue
		}
		delay, _ := wireField(d.GetValue(), 1) // retry_delay
		_, seconds := wireField(delay, 1)
		if _, nanos := wireField(delay, 2); int32(nanos) > 0 {
			seconds++
		}
		if int64(seconds) >= 0 {
			return strconv.FormatUint(seconds, 10), true
		}
	}
	return "", false
}

// wireField returns the last field num of an encoded message: its bytes, or its
// varint.
func wireField(b []byte, num protowire.Number) (data []byte, varint uint64) {
	for len(b) > 0 {
		n, typ, size := protowire.ConsumeField(b)
		if size < 0 {
			return data, varint
		}
		_, _, tag := protowire.ConsumeTag(b)
		switch {
		case n == num && typ == protowire.BytesType:
			data, _ = protowire.ConsumeBytes(b[tag:size])
		case n == num && typ == protowire.VarintType:
			varint, _ = protowire.ConsumeVarint(b[tag:size])
		}
		b = b[size:]
	}
	return data, varint
}
