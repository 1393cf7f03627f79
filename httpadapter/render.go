package httpadapter

import (
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"google.golang.org/genproto/googleapis/rpc/code"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protojson"

	"github.com/crosscut-go/crosscut/interceptor"
	"github.com/crosscut-go/crosscut/internal/driver"
)

// writeError has the renderer of the call write err. One that fails is replaced
// by a bare 500, which needs no renderer and so cannot fail again.
func (x *exchange) writeError(err error) {
	w := (*answerWriter)(x)
	if failure := x.tryRender(w, err); failure != nil {
		x.fail(failure, x.wrote)
		if x.wrote {
			x.aborted = true // half an answer must not look complete
			return
		}
		x.dropHandlerHeaders()
		w.WriteHeader(http.StatusInternalServerError)
	}
}

func (x *exchange) tryRender(w *answerWriter, err error) (failure error) {
	defer func() {
		if v := recover(); v != nil {
			failure = ops.Panicked(v)
		}
	}()
	x.challenge(w, err)
	switch renderer := x.pickRenderer(); {
	case renderer != nil:
		renderer.RenderError(w, x.req, err)
	case x.config.render != nil:
		x.config.render(w, x.req, err)
	default:
		renderDefault(w, x.req, err)
	}
	if !x.wrote {
		return ops.Misuse("the error renderer wrote no status of 400 or more; call WriteHeader with HTTPStatusOf(err)")
	}
	return nil
}

// errorRenderer is httpwire.Renderer; see there.
type errorRenderer interface {
	RenderError(w http.ResponseWriter, r *http.Request, err error)
}

// pickRenderer returns the renderer of the layer that the request reached or, for
// a refusal before routing, would have reached; nil without one.
func (x *exchange) pickRenderer() errorRenderer {
	if x.renderer != nil {
		return x.renderer
	}
	if x.handler != nil {
		return nil
	}
	if found := rendererFor(x.config.front, x.req); found != nil {
		return found
	}
	return nil
}

// challenge gives a 401 the WWW-Authenticate that it must have (RFC 9110 section
// 15.5.2) if neither a hook nor the error brought one.
func (x *exchange) challenge(w *answerWriter, err error) {
	const key = "Www-Authenticate"
	if x.toGRPC() || interceptor.HTTPStatusOf(err) != http.StatusUnauthorized || len(w.Header()[key]) > 0 {
		return
	}
	for _, op := range ops.Headers(&x.call) {
		if strings.EqualFold(op.Key, key) && op.Op == driver.Default {
			return
		}
	}
	w.Header()[key] = []string{"Bearer"}
}

// renderDefault writes err as google.rpc.Status in JSON, or as problem details
// where the request prefers them.
func renderDefault(w http.ResponseWriter, r *http.Request, err error) {
	st, httpStatus := interceptor.StatusOf(err), interceptor.HTTPStatusOf(err)
	body, contentType := statusJSON(st), "application/json"
	if prefersProblem(r.Header["Accept"]) {
		body, contentType = problemJSON(st, httpStatus), problemType
	}
	h := w.Header()
	h.Set("Content-Type", contentType)
	h.Set("Content-Length", strconv.Itoa(len(body)))
	mergeVary(h, "Accept")
	w.WriteHeader(httpStatus)
	_, _ = w.Write(body) // nobody is left to tell that the client has gone
}

// statusJSON encodes st as grpc-gateway does. A detail whose type is not linked
// into the program cannot become JSON; then all of them are left out.
func statusJSON(st *status.Status) []byte {
	p := st.Proto()
	options := protojson.MarshalOptions{EmitUnpopulated: true}
	body, err := options.Marshal(p)
	if err != nil {
		p.Details = nil
		p.Message = strings.ToValidUTF8(p.GetMessage(), "\uFFFD")
		body, err = options.Marshal(p)
	}
	if err != nil {
		return []byte(`{"code":` + strconv.Itoa(int(st.Code())) + `,"message":"","details":[]}`)
	}
	return compact(body)
}

// problem is a problem details object of RFC 9457. Code and details are
// extension members (section 3.2).
type problem struct {
	Type    string          `json:"type"`
	Title   string          `json:"title"`
	Status  int             `json:"status"`
	Detail  string          `json:"detail,omitempty"`
	Code    string          `json:"code"`
	Details json.RawMessage `json:"details,omitempty"`
}

func problemJSON(st *status.Status, httpStatus int) []byte {
	var full struct {
		Details []json.RawMessage `json:"details"`
	}
	p := problem{Type: "about:blank", Title: http.StatusText(httpStatus), Status: httpStatus, Detail: st.Message(), Code: codeName(st.Code())}
	if p.Title == "" {
		p.Title = p.Code
	}
	if json.Unmarshal(statusJSON(st), &full) == nil && len(full.Details) > 0 {
		p.Details, _ = json.Marshal(full.Details) // what was decoded can be encoded
	}
	body, err := json.Marshal(p)
	if err != nil {
		return []byte(`{"type":"about:blank","status":` + strconv.Itoa(httpStatus) + `}`)
	}
	return body
}

// codeName spells a code as google.rpc.Code does.
func codeName(c codes.Code) string {
	if name, ok := code.Code_name[int32(c)]; ok {
		return name
	}
	return strconv.Itoa(int(c))
}

// compact removes the white space that protojson varies on purpose.
func compact(body []byte) []byte {
	var raw json.RawMessage = body
	if out, err := json.Marshal(raw); err == nil {
		return out
	}
	return slices.Clip(body)
}
