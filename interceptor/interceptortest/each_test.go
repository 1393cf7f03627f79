package interceptortest_test

import (
	"context"
	"testing"

	"google.golang.org/grpc/codes"

	"github.com/crosscut-go/crosscut/interceptor"
	"github.com/crosscut-go/crosscut/interceptor/interceptortest"
)

func TestEachAnswers(t *testing.T) {
	t.Parallel()
	hook := interceptor.FromFuncs("probe", interceptor.Funcs{
		BeforeHandler: func(ctx context.Context, _ *interceptor.Call, _ *interceptor.Method) (context.Context, error) {
			return ctx, nil
		},
	})
	interceptortest.Each(t, []interceptor.Hook{hook}, interceptortest.Request{Message: "hello"}, func(t *testing.T, got interceptortest.Result) {
		if got.Code != codes.OK || !got.Reached || len(got.Replies) != 1 || got.Replies[0] != "hello" {
			t.Errorf("%+v", got)
		}
		t.Log(got.Trace)
	})
}
