package authz

import (
	"errors"
	"fmt"
	"strings"
	"sync"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common"
	celast "cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/env"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/interpreter"
	"google.golang.org/protobuf/types/dynamicpb"

	"github.com/crosscut-go/crosscut/interceptor"
)

// MaxCost is how much one evaluation of a condition may cost, in the unit of the
// Common Expression Language: about one for each step of a comparison, a call, or a
// loop. A condition that exceeds it refuses the call.
const MaxCost = 2000

// maxSource is the length of the longest condition in characters.
const maxSource = 4096

const conditionField = "crosscut.policy.v1.Policy.condition"

// condition is a compiled expression. It is immutable.
type condition struct {
	program      cel.Program
	info         *celast.SourceInfo
	source       string
	readsRequest bool
	isFalse      error
}

// compile checks the source against what is known of calls of the method. Its error
// names the field and the position.
func compile(source string, m *interceptor.Method) (*condition, error) {
	e, err := environmentOf(m)
	if err != nil {
		return nil, fmt.Errorf("%s %q: preparing the types of its request: %w", conditionField, source, err)
	}
	checked, issues := e.Compile(source)
	if issues.Err() != nil {
		return nil, fmt.Errorf("%s %q: %s", conditionField, source, positions(issues))
	}
	if t := checked.OutputType(); !t.IsExactType(cel.BoolType) {
		return nil, fmt.Errorf("%s %q: it is of type %s; write one that is surely a bool, such as a comparison", conditionField, source, t)
	}
	reads := readsRequest(checked)
	if reads && m.Descriptor() == nil {
		return nil, fmt.Errorf("%s %q: it reads request, but %s has no request message of a known type; use principal, method and peer alone", conditionField, source, m.Name())
	}
	program, err := e.Program(checked, cel.CostLimit(MaxCost), cel.EvalOptions(cel.OptOptimize))
	if err != nil {
		return nil, fmt.Errorf("%s %q: %w", conditionField, source, err)
	}
	return &condition{
		program: program, info: checked.NativeRep().SourceInfo(), source: source, readsRequest: reads,
		isFalse: refuse(fmt.Errorf("authz: the condition %q is false", source)),
	}, nil
}

// environment is what all conditions may use. Regular expressions are left out:
// what they cost depends on text that callers send.
var environment = sync.OnceValues(func() (*cel.Env, error) {
	allowed := env.NewLibrarySubset().AddExcludedFunctions(env.NewFunction("matches"))
	options := []cel.EnvOption{cel.StdLib(cel.StdLibSubset(allowed)), cel.ParserExpressionSizeLimit(maxSource)}
	return cel.NewCustomEnv(append(options, declarations...)...)
})

func environmentOf(m *interceptor.Method) (*cel.Env, error) {
	base, err := environment()
	if err != nil {
		return nil, err
	}
	desc := m.Descriptor()
	if desc == nil {
		return base.Extend(cel.Variable(varRequest, cel.DynType)) // reading it is refused with a text of our own
	}
	in := desc.Input()
	return base.Extend(cel.Types(dynamicpb.NewMessage(in)), cel.Variable(varRequest, cel.ObjectType(string(in.FullName()))))
}

// readsRequest tells whether the expression names the request. A variable of a
// comprehension that is called so counts as well, which is only too strict.
func readsRequest(checked *cel.Ast) bool {
	for _, ref := range checked.NativeRep().ReferenceMap() {
		if ref.Name == varRequest {
			return true
		}
	}
	return false
}

// positions are the mistakes of a condition, each where it is.
func positions(issues *cel.Issues) string {
	var all []string
	for _, e := range issues.Errors() {
		all = append(all, position(e.Location)+e.Message)
	}
	return strings.Join(all, "; ")
}

// position is the text for a place, "" where it is unknown. Columns count from 1.
func position(l common.Location) string {
	if l.Line() <= 0 {
		return ""
	}
	return fmt.Sprintf("line %d, column %d: ", l.Line(), l.Column()+1)
}

// evaluate refuses a call unless every condition is true.
func evaluate(conditions []*condition, v *variables) error {
	for _, c := range conditions {
		if err := c.evaluate(v); err != nil {
			return err
		}
	}
	return nil
}

func (c *condition) evaluate(v *variables) error {
	out, _, err := c.program.Eval(v)
	switch {
	case err != nil:
		return refuse(c.failure(err))
	case out != types.True:
		return c.isFalse
	}
	return nil
}

// failure says where an evaluation failed. The message of the evaluation itself may
// quote the request or a claim, which must not reach a log.
func (c *condition) failure(err error) error {
	var cancelled interpreter.EvalCancelledError
	if errors.As(err, &cancelled) && cancelled.Cause == interpreter.CostLimitExceeded {
		return fmt.Errorf("authz: the condition %q exceeded the cost limit of %d", c.source, MaxCost)
	}
	where := ""
	var at *types.Err
	if errors.As(err, &at) {
		where = position(c.info.GetStartLocation(at.NodeID()))
	}
	return fmt.Errorf("authz: the condition %q could not be evaluated: %sa value is missing, or is not of the type that is needed", c.source, where)
}
