package policy

import (
	"errors"

	"github.com/crosscut-go/crosscut/interceptor"
)

var _ interceptor.MethodPlanner = (*hook)(nil)

// errTwice closes methods with two policies: hooks further in would keep the inner one
// and forget what the outer one demands.
var errTwice = errors.New("a hook listed before this one provides the policy already, and only one of the two would be kept; put all declarations into one policy.New, or scope the hooks with When so that they share no method")

// PlanMethod hands the policy of the method inward before the first call, so that
// hooks such as the one of package authz can prepare for it. A method without a valid
// policy has a nil one; what is wrong with it, CheckMethod says.
//
// A stack with two policies of one method would keep only one, so it is refused.
func (h *hook) PlanMethod(plan *interceptor.MethodPlan) error {
	if plan.Provided(Key) {
		return errTwice
	}
	Key.SetPlanned(plan, h.guard(plan.Method()).policy)
	return nil
}
