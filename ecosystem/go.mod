module github.com/crosscut-go/crosscut/ecosystem

go 1.26.0

replace github.com/crosscut-go/crosscut => ../

require (
	github.com/crosscut-go/crosscut v0.0.0-00010101000000-000000000000
	google.golang.org/grpc v1.85.0
)

require (
	github.com/go-chi/chi/v5 v5.2.3
	golang.org/x/sys v0.49.0 // indirect
	google.golang.org/genproto/googleapis/rpc v0.0.0-20261019180522-ce908d29299b // indirect
	google.golang.org/protobuf v1.36.12 // indirect
)
