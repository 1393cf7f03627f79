package hostile_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"golang.org/x/net/http2"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"

	pb "github.com/crosscut-go/crosscut/proto/crosscut/hostile/v1"
)

// ask is a request, ready to be written to a connection: a REST or plain request, or an
// RPC, whose verb is always POST.
type ask struct {
	verb, target string
	fields       []string // "name: value"
	body         string
	raw          []byte // instead of body, and over HTTP/1.1 framed by the fields alone
	open         bool   // more of the body is promised and never comes
}

// reply is what came back.
type reply struct {
	status      int
	header      http.Header // of an RPC, with trailers
	body        []byte
	reset       *http2.ErrCode // what the stream was reset with
	closed, cut bool           // the connection ended before, or within, the answer
	hangUp      bool           // the server closes the connection
}

// code returns the gRPC code of an RPC's answer.
func (r *reply) code() codes.Code {
	var code codes.Code
	if text := r.header.Get("Grpc-Status"); text == "" || code.UnmarshalJSON([]byte(text)) != nil {
		return codes.Code(99)
	}
	return code
}

// message is the text for people in the answer: of an RPC, of REST, or of a plain
// route, which answers errors with the same JSON.
func (r *reply) message() string {
	if text := r.header.Get("Grpc-Message"); text != "" {
		if plain, err := url.PathUnescape(text); err == nil {
			return plain
		}
		return text
	}
	var st struct{ Message string }
	if json.Unmarshal(r.body, &st) == nil {
		return st.Message
	}
	return ""
}

// text is everything of the answer that is the same each time.
func (r *reply) text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d\n", r.status)
	if r.reset != nil {
		fmt.Fprintf(&b, "reset %v\n", *r.reset)
	}
	fmt.Fprintf(&b, "closed %v, cut %v\n", r.closed, r.cut)
	for _, name := range slices.Sorted(maps.Keys(r.header)) {
		if name != "Date" && name != "X-Request-Id" && name != "Grpc-Metadata-X-Request-Id" {
			fmt.Fprintf(&b, "%s: %q\n", name, r.header[name])
		}
	}
	b.Write(r.body)
	return b.String()
}

// bytes is all that a client can read of the answer.
func (r *reply) bytes() []byte {
	var b bytes.Buffer
	_ = r.header.Write(&b)
	b.Write(r.body)
	return b.Bytes()
}

// serviceName is that of the service in paths.
const serviceName = "crosscut.hostile.v1.ItemsService"

// call is one thing that the service does, in each of the forms in which it can be
// asked for.
type call struct {
	rpc        string // the method's name
	msg        proto.Message
	verb, rest string // the REST binding
	json       string
	route      string // the plain route that stands for it, as registered
	target     string // a path of that route; "" if it is the pattern's
}

// The calls that rows are about.
var (
	get    = call{rpc: "Get", msg: &pb.GetRequest{Id: "1"}, verb: "GET", rest: "/v1/items/1", route: "GET /plain/items"}
	create = call{
		rpc: "Create", msg: &pb.CreateRequest{Id: "1", Content: "x"}, verb: "POST", rest: "/v1/items",
		json: `{"id":"1","content":"x"}`, route: "POST /plain/items",
	}
	remove = call{rpc: "Delete", msg: &pb.DeleteRequest{Id: "1"}, verb: "DELETE", rest: "/v1/items/1", route: "GET /admin/stats"}
	purge  = call{rpc: "Purge", msg: &pb.PurgeRequest{Id: "1"}, verb: "POST", rest: "/v1/items/1:purge", route: "GET /admin/stats"}
	watchC = call{rpc: "Watch", msg: &pb.WatchRequest{Count: 1}, verb: "GET", rest: "/v1/items:watch?count=1"}
	upload = call{rpc: "Upload", msg: &pb.UploadRequest{Content: "x"}}
	chat   = call{rpc: "Chat", msg: &pb.ChatRequest{Text: "x"}}
	ping   = call{rpc: "Ping", msg: &pb.PingRequest{}, verb: "GET", rest: "/v1/ping", route: "GET /plain/ping"}
	search = call{rpc: "Search", msg: &pb.SearchRequest{Query: "x"}, verb: "GET", rest: "/v1/search?query=x", route: "GET /plain/ping"}
	login  = call{rpc: "Login", msg: &pb.LoginRequest{User: "u", Password: password}, verb: "POST", rest: "/v1/login", json: `{"user":"u","password":"` + password + `"}`}
	file   = call{rpc: "File", msg: &pb.FileRequest{Name: "a"}, verb: "GET", rest: "/v1/files/a", route: "GET /plain/files/{name...}", target: "/plain/files/a"}
	legacy = call{rpc: "Legacy", msg: &pb.LegacyRequest{}, verb: "GET", rest: "/v1/legacy", route: "GET /plain/undeclared"}
)

// fullName is the method's name as logs have it.
func (c call) fullName() string { return "/" + serviceName + "/" + c.rpc }

// over is the call as it is asked for through a door, and the label of its method;
// false if it cannot be.
func (c call) over(d door) (a ask, label string, ok bool) {
	switch {
	case d.rpc():
		if c.rpc == "" {
			return ask{}, "", false
		}
		payload, _ := proto.Marshal(c.msg)
		return ask{
			verb: "POST", target: c.fullName(), body: frame(0, payload),
			fields: []string{"content-type: application/grpc", "te: trailers"},
		}, c.fullName(), true
	case d == plain:
		if c.route == "" {
			return ask{}, "", false
		}
		verb, target, _ := strings.Cut(c.route, " ")
		if c.target != "" {
			target = c.target
		}
		return ask{verb: verb, target: target}, c.route, true
	case c.rest == "":
		return ask{}, "", false
	}
	a = ask{verb: c.verb, target: c.rest, body: c.json}
	if c.json != "" {
		a.fields = []string{"Content-Type: application/json"}
	}
	return a, c.fullName(), true
}
