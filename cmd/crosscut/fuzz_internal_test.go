package main

import (
	"testing"

	"google.golang.org/protobuf/proto"
)

// FuzzAudit: whatever bytes are piped in, the command ends with a status of its own
// and says why it is not 0.
func FuzzAudit(f *testing.F) {
	for _, methods := range [][]rpc{shop(), nil} {
		wire, err := proto.Marshal(markImports(set(methods...), func(name string) bool { return name != "shop.proto" }))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(wire)
	}
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, wire []byte) {
		got := crosscut(wire, "audit")
		if got.code < exitOK || got.code > exitUsage || (got.code == exitOK) != (got.stderr == "") {
			t.Errorf("exit status %d with %q", got.code, got.stderr)
		}
	})
}
