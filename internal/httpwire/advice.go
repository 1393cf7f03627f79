package httpwire

// AdviceKey is metadata that a gateway adds to a dispatch which only the
// in-process connection may carry: the stack has hooks that need the messages of
// the call or wrap its handler, or a hook has already replied. The in-process
// connection takes the key off when it continues the call, and refuses the
// dispatch otherwise. Any other connection refuses it before it sends anything:
// grpc-go allows only [0-9a-z-_.] in keys and quotes what it refuses, so the key
// spells what to do.
const AdviceKey = "Register the gateway's handlers over the Conn() of the grpcadapter.Server with the same stack"
