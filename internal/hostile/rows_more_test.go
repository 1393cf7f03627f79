package hostile_test

import (
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"

	"google.golang.org/grpc/codes"

	"github.com/crosscut-go/crosscut/internal/tokentest"
)

// accessRows are about what a known caller may do: H39 to H41.
func accessRows() []row {
	k := tokentest.Ed25519()
	var rows []row
	for _, scope := range []string{"items.readwrite", "items", "Items.Read", "items.read,items.write", "xitems.read"} {
		rows = append(rows, row{
			name: "H39 scope " + scope, call: get, fields: []string{bearer(k.Token(claims(map[string]any{"scope": scope})))}, want: denied, times: 50,
		})
	}
	for _, roles := range []string{`"user admin"`, `"user,admin"`, `["user,admin"]`, `["admin "]`, `{"admin":true}`, `[["admin"]]`} {
		token := k.Token(claims(map[string]any{"roles": json.RawMessage(roles)}))
		rows = append(rows, row{name: "H40 roles " + roles, call: remove, fields: []string{bearer(token)}, want: denied, times: 50})
	}
	asWriter := []string{bearer(writer())}
	return append(rows,
		row{name: "H41 writer deletes", call: remove, fields: asWriter, want: denied},
		row{name: "H41 writer purges", call: purge, fields: asWriter, want: denied},
		row{name: "H41 reader writes", call: create, fields: []string{bearer(reader())}, want: denied},
	)
}

// streamRows are H42 and H44.
func streamRows() []row {
	cardinality := outcome{code: codes.Internal, status: 500, reads: true}
	asReader := []string{bearer(reader())}
	return []row{
		{name: "H42 Watch of nobody", call: watchC, doors: "GSRMD", want: unauthenticated},
		{name: "H42 Watch of nobody, in process", call: watchC, doors: "I", want: unauthenticated, noGood: true}, // grpc-gateway answers 501 to all
		{name: "H42 Watch of nobody, then silence", call: watchC, doors: "GS", alter: silent, want: unauthenticated},
		{name: "H42 Upload of nobody, then silence", call: upload, doors: "GS", alter: silent, want: unauthenticated},
		{name: "H42 Chat of nobody, then silence", call: chat, doors: "GS", alter: silent, want: unauthenticated},
		{name: "H44 two messages", call: get, doors: "GS", alter: func(a *ask) { a.body += a.body }, fields: asReader, want: cardinality},
		{name: "H44 no message", call: get, doors: "GS", alter: func(a *ask) { a.body = "" }, fields: asReader, want: cardinality},
	}
}

// silent sends no body and does not end it.
func silent(a *ask) { a.body, a.open = "", true }

// bodyRows are H45, H47 and H48. What the first costs is for TestDenialCost.
func bodyRows() []row {
	bomb := func(a *ask) {
		if a.verb == "POST" && strings.HasPrefix(a.target, "/"+serviceName) {
			a.fields, a.body = append(a.fields, "grpc-encoding: gzip"), frame(1, gzipBomb())
			return
		}
		a.fields, a.body = append(a.fields, "Content-Encoding: gzip"), string(gzipBomb())
	}
	seven := func(a *ask) {
		a.body, a.open = a.body[:min(7, len(a.body))], true
	}
	chunk := func(a *ask) {
		a.fields, a.raw, a.open = append(a.fields, "Transfer-Encoding: chunked"), []byte("1000\r\n{\"id\":\""), true
		a.body = ""
	}
	few := func(a *ask) {
		a.fields, a.raw, a.open = append(a.fields, "Content-Length: 20"), []byte("{\"id\":\""), true
		a.body = ""
	}
	hangsUp := func(t *testing.T, s *site, first reply) {
		t.Helper()
		if !s.door.rpc() && !first.hangUp {
			t.Error("the connection is kept for a request that never ends")
		}
	}
	asReader := []string{bearer(reader())}
	return []row{
		{name: "H45 bomb of nobody", call: create, alter: bomb, want: unauthenticated, times: 5},
		{
			name: "H47 four GiB announced", call: get, doors: "GS", fields: asReader, alter: func(a *ask) { a.body = "\x00\xff\xff\xff\xff" },
			want: outcome{code: codes.ResourceExhausted},
		},
		{
			name: "H47 ten bytes announced, three sent", call: get, doors: "GS", fields: asReader,
			alter: func(a *ask) { a.body = "\x00\x00\x00\x00\x0aabc" }, want: outcome{code: codes.Internal},
		},
		{name: "H48 body that never ends", call: create, alter: seven, want: unauthenticated, times: 50, after: hangsUp},
		{name: "H48 few bytes that never come", call: create, doors: "RMDIP", alter: few, want: unauthenticated, times: 50, after: hangsUp},
		{name: "H48 chunk that never ends", call: create, doors: "RMDIP", alter: chunk, want: unauthenticated, times: 50, after: hangsUp},
	}
}

// addressRows are H52 without its limit: what a stranger says about addresses changes
// nothing.
func addressRows() []row {
	var rows []row
	for _, field := range []string{
		"X-Forwarded-For: 198.51.100.1", "X-Real-IP: 198.51.100.1", "True-Client-IP: 198.51.100.1", "Forwarded: for=198.51.100.1",
		"Grpc-Metadata-X-Real-Ip: 198.51.100.1", "Grpc-Metadata-X-Forwarded-For: 198.51.100.1",
	} {
		rows = append(rows, row{name: "H52 " + field, call: search, doors: "GSRMP", fields: []string{field}, want: allowed, seenFrom: "203.0.113.9"})
	}
	return rows
}

// textRows are H20, H55 and H57 to H59: what strangers and handlers say, and where it
// must not turn up.
func textRows() []row {
	asReader := bearer(reader())
	forgery := "x\r\n{\"level\":\"info\",\"msg\":\"admin login ok\"}"
	colours := base64.StdEncoding.EncodeToString([]byte(forgery + "\x1b[31m\u202e"))
	broken := outcome{code: codes.Internal, status: 400, plain: true, silent: true}
	get := get
	panics, fails := get, get
	panics.msg, panics.rest, panics.route, panics.target = getOf(idPanic), "/v1/items/"+idPanic, "GET /plain/ping", "/plain/ping?do="+idPanic
	fails.msg, fails.rest, fails.route = getOf(idError), "/v1/items/"+idError, "GET /plain/fails"
	unknown := outcome{code: codes.Unknown, status: 500, text: "internal error", reads: true, runs: true}
	crashed := internal
	crashed.reads, crashed.runs = true, true
	return []row{
		{name: "H20 undecodable metadata", call: get, doors: "GS", fields: []string{asReader, "trace-bin: !!!"}, want: broken},
		{name: "H20 undecodable metadata of REST", call: get, doors: "RMD", fields: []string{asReader, "Grpc-Metadata-Trace-Bin: !!!"}, want: allowed},
		{name: "H55 line end in a header", call: get, doors: "GS", alter: silent, fields: []string{asReader, "user-agent: " + forgery}, want: protocolError},
		{
			name: "H55 carriage return in a header", call: get, doors: "RMDIP", want: outcome{status: 400, silent: true},
			fields: []string{asReader, "User-Agent: x\r{\"msg\":\"admin login ok\"}"}, noGood: true,
		},
		{name: "H55 line end in binary metadata", call: get, doors: "GS", fields: []string{asReader, "x-note-bin: " + colours}, want: allowed},
		{name: "H55 escapes in a path", call: get, doors: "RMDIP", path: "GET /nowhere/%0d%0a%7B%22msg%22%3A%22call%22%7D%1b[31m%E2%80%AE", want: unknownMethod, noGood: true},
		{name: "H57 panic", call: panics, doors: "GSRMP", fields: []string{asReader}, want: crashed, unread: []string{panicText}, noGood: true},
		{name: "H58 internal error", call: fails, doors: "GSRMP", fields: []string{asReader}, want: unknown, noGood: true, unread: []string{errorText, "10.1.2.3"}},
		{name: "H59 redacted field", call: login, doors: "GSRM", want: unknown, noGood: true, hide: []string{password}},
	}
}

// browserRows are H60.
func browserRows() []row {
	preflight := func(a *ask) { a.verb, a.body = "OPTIONS", "" }
	answer := outcome{code: codes.OK, status: 204, label: "unknown", also: map[string]string{
		"Vary": "Origin", "Access-Control-Allow-Origin": "", "Access-Control-Allow-Credentials": "",
		"Access-Control-Allow-Methods": "", "Access-Control-Allow-Headers": "",
	}}
	friendly := answer
	friendly.also = map[string]string{
		"Vary": "Origin", "Access-Control-Allow-Origin": "https://app.example.test", "Access-Control-Allow-Credentials": "true",
	}
	asks := func(origin string) []string {
		return []string{"Origin: " + origin, "Access-Control-Request-Method: POST"}
	}
	return []row{
		{name: "H60 preflight of a stranger", call: create, doors: "RMDIP", alter: preflight, fields: asks("https://evil.test"), want: answer},
		{name: "H60 preflight of null", call: create, doors: "RMDIP", alter: preflight, fields: asks("null"), want: answer},
		{name: "H60 preflight of a suffix", call: create, doors: "RMDIP", alter: preflight, fields: asks("https://app.example.test.evil.test"), want: answer},
		{name: "H60 preflight of the application", call: create, doors: "RMDIP", alter: preflight, fields: asks("https://app.example.test"), want: friendly},
	}
}

// checkAddress fails unless the last record names that client.
func checkAddress(t *testing.T, last record, want string) {
	t.Helper()
	if want != "" && last.Client != want {
		t.Errorf("the record has the client address %q, want %q", last.Client, want)
	}
}
