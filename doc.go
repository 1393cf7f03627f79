// Package crosscut is documentation only: it says where to begin.
//
// crosscut runs one ordered list of hooks around every call a Go service
// answers: gRPC, REST through grpc-gateway, and plain net/http. A concern such as
// authentication or logging is written once, listed once, and behaves the same
// everywhere.
//
//   - Package interceptor defines hooks, calls and stacks; hook authors start there.
//   - Package grpcadapter serves gRPC behind a stack.
//   - Package httpadapter serves net/http handlers behind a stack, and
//     httpadapter/gateway REST.
//   - The packages below builtin are ready-made hooks, one concern each.
//   - Package interceptor/interceptortest runs any hook on every transport.
package crosscut
