package httpwire

// AdviceKey is metadata that a gateway adds to a dispatch which only the
// in-process connection may carry: the stack has hooks that need the messages of
// the call or wrap its handler, or a hook has already replied. The in-process
// connection of the same stack takes the key off; that of another stack, and any
// real connection, refuses it before anything is sent: grpc-go allows only
// [0-9a-z-_.] in keys and quotes what it refuses, so the key spells what to do. It
// is in lower case because reading outgoing metadata folds keys to that.
const AdviceKey = "register the gateway's handlers over the conn of a grpcadapter server with the same stack"
