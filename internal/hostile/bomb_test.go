package hostile_test

import (
	"bytes"
	"compress/gzip"
	"sync"

	"google.golang.org/protobuf/proto"

	pb "github.com/crosscut-go/crosscut/proto/crosscut/hostile/v1"
)

// gzipBomb is half a megabyte that inflates to 512 MiB: 128 members of 4 MiB.
var gzipBomb = sync.OnceValue(func() []byte {
	var member bytes.Buffer
	w := gzip.NewWriter(&member)
	_, _ = w.Write(make([]byte, 4<<20))
	_ = w.Close()
	return bytes.Repeat(member.Bytes(), 128)
})

func getOf(id string) proto.Message { return &pb.GetRequest{Id: id} }

func watchOf(count int32) proto.Message { return &pb.WatchRequest{Count: count} }
