package ecosystem_test

import (
	"fmt"
	"io"
	"testing"

	"go.uber.org/goleak"
	"google.golang.org/grpc/grpclog"
)

// TestMain fails the package when a goroutine outlives its tests.
func TestMain(m *testing.M) {
	grpclog.SetLoggerV2(panicking{grpclog.NewLoggerV2(io.Discard, io.Discard, io.Discard)})
	goleak.VerifyTestMain(m)
}

// panicking is a logger whose Fatal panics. The interop cases end the process on
// a failure; so they fail one subtest instead, see [mustNotBeFatal].
type panicking struct{ grpclog.LoggerV2 }

// fatal is what panicking panics with.
type fatal string

func (panicking) Fatal(args ...any)                 { panic(fatal(fmt.Sprint(args...))) }
func (panicking) Fatalln(args ...any)               { panic(fatal(fmt.Sprintln(args...))) }
func (panicking) Fatalf(format string, args ...any) { panic(fatal(fmt.Sprintf(format, args...))) }

// mustNotBeFatal fails the test when f logs a fatal error of gRPC.
func mustNotBeFatal(t *testing.T, f func()) {
	t.Helper()
	defer func() {
		t.Helper()
		switch p := recover().(type) {
		case nil:
		case fatal:
			t.Error(string(p))
		default:
			panic(p)
		}
	}()
	f()
}
