package policy

import "github.com/crosscut-go/crosscut/interceptor"

var _ interceptor.MethodPlanner = (*hook)(nil)

// PlanMethod hands the policy of the method inward before the first call, so that
// hooks such as the one of package authz can prepare for it. A method without a valid
// policy has a nil one; what is wrong with it, CheckMethod says.
func (h *hook) PlanMethod(plan *interceptor.MethodPlan) error {
	Key.SetPlanned(plan, h.guard(plan.Method()).policy)
	return nil
}
