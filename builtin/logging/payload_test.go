package logging_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"strings"
	"sync"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/dynamicpb"
	"google.golang.org/protobuf/types/known/anypb"

	"github.com/crosscut-go/crosscut/builtin/logging"
	"github.com/crosscut-go/crosscut/interceptor"
	"github.com/crosscut-go/crosscut/internal/driver"
	pb "github.com/crosscut-go/crosscut/proto/crosscut/conformance/v1"
)

func checkNoSecret(t *testing.T, text string, secrets ...string) {
	t.Helper()
	for _, s := range secrets {
		if strings.Contains(text, s) {
			t.Errorf("the log has %q, which must not be logged: %.2000s", s, text)
		}
	}
}

// payloads logs msg as a request, and returns the payload and the whole log.
func payloads(t *testing.T, method *interceptor.Method, msg proto.Message) (any, string) {
	t.Helper()
	var j journal
	stack := interceptor.MustNew(logging.New(j.logger(slog.LevelDebug), logging.Payloads(slog.LevelDebug)))
	exchange{method: method, request: msg}.run(t, stack)
	records := j.records(t)
	if len(records) != 2 || records[0]["msg"] != "message" || records[1]["msg"] != "call" {
		t.Fatalf("want a record of the message and one of the call: %v", records)
	}
	return records[0]["payload"], j.text()
}

func TestPayloadsOfAnRPC(t *testing.T) {
	t.Parallel()
	var j journal
	stack := interceptor.MustNew(logging.New(j.logger(slog.LevelDebug), logging.Payloads(slog.LevelDebug)))
	exchange{
		method:  unary(),
		request: &pb.UnaryRequest{Text: "in", UpperCase: true},
		handler: answer(&pb.UnaryResponse{Text: "out"}, nil),
	}.run(t, stack)
	records := j.records(t)
	if len(records) != 3 {
		t.Fatalf("%d records, want two messages and the call: %v", len(records), records)
	}
	name := "/crosscut.conformance.v1.ConformanceService/Unary"
	check(t, records[0], map[string]any{"msg": "message", "level": "DEBUG", "direction": "received", "method": name})
	check(t, records[1], map[string]any{"msg": "message", "level": "DEBUG", "direction": "sent", "method": name})
	check(t, records[2], map[string]any{"msg": "call", "level": "INFO"})
	if got := fmt.Sprint(records[0]["payload"]); got != "map[text:in upper_case:true]" {
		t.Errorf("received %s", got)
	}
	if got := fmt.Sprint(records[1]["payload"]); got != "map[text:out]" {
		t.Errorf("sent %s", got)
	}
}

func TestNoPayloadsUnlessAsked(t *testing.T) {
	t.Parallel()
	var j journal
	stack := interceptor.MustNew(logging.New(j.logger(slog.LevelDebug - 100)))
	exchange{method: unary(), request: &pb.UnaryRequest{Text: "private"}, handler: answer(&pb.UnaryResponse{Text: "private"}, nil)}.run(t, stack)
	checkNoSecret(t, j.text(), "private")
}

func TestRedactedFieldsNeverAppear(t *testing.T) {
	t.Parallel()
	nested := func() *pb.Nested { return &pb.Nested{Text: "shown", Secret: "hunter2"} }
	pack := func(m proto.Message) *anypb.Any {
		a, err := anypb.New(m)
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	unknown := nested()
	unknown.ProtoReflect().SetUnknown(protowire.AppendString(protowire.AppendTag(nil, 99, protowire.BytesType), "hunter2"))
	tests := []struct {
		name string
		msg  proto.Message
	}{
		{"at the top", &pb.UnaryResponse{Text: "shown", Secret: "hunter2"}},
		{"one level down", &pb.UnaryResponse{Nested: nested()}},
		{"in a list", &pb.UnaryResponse{NestedList: []*pb.Nested{nested(), nested()}}},
		{"in a map", &pb.UnaryResponse{NestedMap: map[string]*pb.Nested{"a": nested(), "b": nested()}}},
		{"in an Any", &pb.UnaryResponse{Text: "shown", Detail: pack(nested())}},
		{"in an Any in an Any", &pb.UnaryResponse{Text: "shown", Detail: pack(pack(&pb.UnaryResponse{Nested: nested()}))}},
		{"in an Any of an unknown type", &pb.UnaryResponse{Text: "shown", Detail: &anypb.Any{TypeUrl: "type.googleapis.com/no.such.Type", Value: []byte("hunter2")}}},
		{"in a broken Any", &pb.UnaryResponse{Text: "shown", Detail: &anypb.Any{TypeUrl: pack(nested()).GetTypeUrl(), Value: []byte("\xffhunter2")}}},
		{"in an Any without a type", &pb.UnaryResponse{Text: "shown", Detail: &anypb.Any{Value: []byte("hunter2")}}},
		{"in unknown fields", &pb.UnaryResponse{Nested: unknown}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, text := payloads(t, unary(), tt.msg)
			checkNoSecret(t, text, "hunter2", "aHVudGVyM") // also as base64
			if !strings.Contains(text, "shown") {
				t.Errorf("nothing of the message is shown: %s", text)
			}
		})
	}
}

// zoo has a message with a field of every kind, plain and redacted, an enum with
// a redacted value, and an extension.
var zoo = sync.OnceValue(func() protoreflect.FileDescriptor {
	hidden := &descriptorpb.FieldOptions{DebugRedact: proto.Bool(true)}
	field := func(n int32, name string, label descriptorpb.FieldDescriptorProto_Label, kind descriptorpb.FieldDescriptorProto_Type, typeName string, o *descriptorpb.FieldOptions) *descriptorpb.FieldDescriptorProto {
		f := &descriptorpb.FieldDescriptorProto{Name: &name, Number: &n, Label: &label, Type: &kind, Options: o}
		if typeName != "" {
			f.TypeName = &typeName
		}
		return f
	}
	optional, repeated := descriptorpb.FieldDescriptorProto_LABEL_OPTIONAL, descriptorpb.FieldDescriptorProto_LABEL_REPEATED
	str, msg := descriptorpb.FieldDescriptorProto_TYPE_STRING, descriptorpb.FieldDescriptorProto_TYPE_MESSAGE
	zoo := &descriptorpb.DescriptorProto{
		Name: proto.String("Zoo"),
		Field: []*descriptorpb.FieldDescriptorProto{
			field(1, "b", optional, descriptorpb.FieldDescriptorProto_TYPE_BYTES, "", nil),
			field(2, "d", optional, descriptorpb.FieldDescriptorProto_TYPE_DOUBLE, "", nil),
			field(3, "i", optional, descriptorpb.FieldDescriptorProto_TYPE_INT64, "", nil),
			field(4, "e", repeated, descriptorpb.FieldDescriptorProto_TYPE_ENUM, ".logging.test.Mood", nil),
			field(5, "hidden_b", optional, descriptorpb.FieldDescriptorProto_TYPE_BYTES, "", hidden),
			field(6, "hidden_i", optional, descriptorpb.FieldDescriptorProto_TYPE_INT64, "", hidden),
			field(7, "hidden_list", repeated, str, "", hidden),
			field(8, "hidden_zoo", optional, msg, ".logging.test.Zoo", hidden),
			field(9, "zoo", optional, msg, ".logging.test.Zoo", nil),
			field(10, "text", optional, str, "", nil),
			field(11, "hidden_map", repeated, msg, ".logging.test.Zoo.HiddenMapEntry", hidden),
		},
		NestedType: []*descriptorpb.DescriptorProto{{
			Name:    proto.String("HiddenMapEntry"),
			Options: &descriptorpb.MessageOptions{MapEntry: proto.Bool(true)},
			Field:   []*descriptorpb.FieldDescriptorProto{field(1, "key", optional, str, "", nil), field(2, "value", optional, str, "", nil)},
		}},
		ExtensionRange: []*descriptorpb.DescriptorProto_ExtensionRange{{Start: proto.Int32(100), End: proto.Int32(200)}},
	}
	extension := field(100, "hidden_ext", optional, str, "", hidden)
	extension.Extendee = proto.String(".logging.test.Zoo")
	file, err := protodesc.NewFile(&descriptorpb.FileDescriptorProto{
		Syntax: proto.String("proto2"), Name: proto.String("logging_test.proto"), Package: proto.String("logging.test"),
		MessageType: []*descriptorpb.DescriptorProto{zoo},
		Extension:   []*descriptorpb.FieldDescriptorProto{extension},
		EnumType: []*descriptorpb.EnumDescriptorProto{{Name: proto.String("Mood"), Value: []*descriptorpb.EnumValueDescriptorProto{
			{Name: proto.String("GOOD"), Number: proto.Int32(0)},
			{Name: proto.String("UNSPEAKABLE"), Number: proto.Int32(1), Options: &descriptorpb.EnumValueOptions{DebugRedact: proto.Bool(true)}},
		}}},
		Service: []*descriptorpb.ServiceDescriptorProto{{Name: proto.String("Keeper"), Method: []*descriptorpb.MethodDescriptorProto{
			{Name: proto.String("Visit"), InputType: proto.String(".logging.test.Zoo"), OutputType: proto.String(".logging.test.Zoo")},
		}}},
	}, protoregistry.GlobalFiles)
	if err != nil {
		panic(err)
	}
	return file
})

func visit() *interceptor.Method {
	return ops.NewMethod("/logging.test.Keeper/Visit", zoo().Services().Get(0).Methods().Get(0), uint8(interceptor.Unary))
}

// newZoo makes a Zoo with these fields.
func newZoo(fields map[string]any) *dynamicpb.Message {
	m := dynamicpb.NewMessage(zoo().Messages().Get(0))
	for name, value := range fields {
		fd := m.Descriptor().Fields().ByName(protoreflect.Name(name))
		switch v := value.(type) {
		case []string:
			for _, s := range v {
				m.Mutable(fd).List().Append(protoreflect.ValueOfString(s))
			}
		case []protoreflect.EnumNumber:
			for _, n := range v {
				m.Mutable(fd).List().Append(protoreflect.ValueOfEnum(n))
			}
		case map[string]string:
			for k, e := range v {
				m.Mutable(fd).Map().Set(protoreflect.ValueOfString(k).MapKey(), protoreflect.ValueOfString(e))
			}
		case *dynamicpb.Message:
			m.Set(fd, protoreflect.ValueOfMessage(v))
		default:
			m.Set(fd, protoreflect.ValueOf(v))
		}
	}
	return m
}

func TestEveryKindOfField(t *testing.T) {
	t.Parallel()
	m := newZoo(map[string]any{
		"b": []byte("bytes"), "d": 1.5, "i": int64(-7), "e": []protoreflect.EnumNumber{0, 1, 7}, "text": "a\"\n\u2028<b>\xff",
		"hidden_b": []byte("hunter2"), "hidden_i": int64(4242424242), "hidden_list": []string{"hunter2"},
		"hidden_zoo": newZoo(map[string]any{"text": "hunter2"}), "zoo": newZoo(map[string]any{"hidden_list": []string{"hunter2"}}),
		"hidden_map": map[string]string{"hunter2": "hunter2"},
	})
	m.Set(dynamicpb.NewExtensionType(zoo().Extensions().Get(0)).TypeDescriptor(), protoreflect.ValueOfString("hunter2"))
	payload, text := payloads(t, visit(), m)
	checkNoSecret(t, text, "hunter2", "aHVudGVyM", "4242424242", "UNSPEAKABLE")
	got, err := json.Marshal(payload) // in the order of the names
	if err != nil {
		t.Fatal(err)
	}
	want := `{"[logging.test.hidden_ext]":"[REDACTED]","b":"Ynl0ZXM=","d":1.5,"e":["GOOD","[REDACTED]",7],` +
		`"hidden_b":"[REDACTED]","hidden_i":"[REDACTED]","hidden_list":"[REDACTED]","hidden_map":"[REDACTED]","hidden_zoo":"[REDACTED]",` +
		`"i":-7,"text":"a\"\n\u2028\u003cb\u003e` + "\ufffd" + `","zoo":{"hidden_list":"[REDACTED]"}}`
	if string(got) != want {
		t.Errorf("printed\n%s\nwant\n%s", got, want)
	}
}

func TestNumbersThatJSONLacks(t *testing.T) {
	t.Parallel()
	payload, _ := payloads(t, visit(), newZoo(map[string]any{"d": math.Inf(1)}))
	if got := fmt.Sprint(payload); got != "map[d:+Inf]" {
		t.Errorf("printed %s", got)
	}
}

func TestPayloadsAreBounded(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 1<<20)
	deep := &pb.UnaryResponse{Text: "bottom"}
	for range 100 {
		a, err := anypb.New(deep)
		if err != nil {
			t.Fatal(err)
		}
		deep = &pb.UnaryResponse{Detail: a}
	}
	var list []*pb.Nested
	table := map[string]*pb.Nested{}
	for i := range 10_000 {
		list = append(list, &pb.Nested{Text: "item"})
		table[fmt.Sprint(i)] = &pb.Nested{Text: "item"}
	}
	for name, m := range map[string]proto.Message{
		"a long string":        &pb.UnaryResponse{Text: long, Secret: "hunter2"},
		"a long list":          &pb.UnaryResponse{NestedList: list, Secret: "hunter2"},
		"a long map":           &pb.UnaryResponse{NestedMap: table, Secret: "hunter2"},
		"characters to escape": &pb.UnaryResponse{Text: strings.Repeat("\x01", 10_000)},
		"an Any in many":       deep,
		"long bytes":           newZoo(map[string]any{"b": []byte(long)}),
		"a long type name":     &pb.UnaryResponse{Detail: &anypb.Any{TypeUrl: long}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, text := payloads(t, visit(), m)
			checkNoSecret(t, text, "hunter2", "bottom")
			if len(text) > 64<<10 {
				t.Errorf("the log has %d bytes", len(text))
			}
		})
	}
}

func TestPayloadsOfOtherCodecs(t *testing.T) {
	t.Parallel()
	var j journal
	h, ok := logging.New(j.logger(slog.LevelInfo), logging.Payloads(slog.LevelInfo)).(interceptor.MessageHook)
	if !ok {
		t.Fatal("the hook sees no messages")
	}
	if err := h.OnReceive(t.Context(), new(interceptor.Call), struct{ Password string }{"hunter2"}); err != nil {
		t.Error(err)
	}
	if err := h.OnSend(t.Context(), new(interceptor.Call), (*pb.UnaryResponse)(nil)); err != nil {
		t.Error(err)
	}
	checkNoSecret(t, j.text(), "hunter2")
	check(t, j.records(t)[0], map[string]any{"payload_type": "struct { Password string }", "payload": nil})
}

func TestSecretsStayOutOfErrorText(t *testing.T) {
	t.Parallel()
	request := &pb.UnaryRequest{Id: "7", Secret: "hunter2\n\"x", Nested: &pb.Nested{Secret: "deep-secret"}}
	quote := func(err error) func(context.Context) (any, error) { return answer(nil, err) }
	for name, err := range map[string]error{
		"the message":   fmt.Errorf("login failed for %v", request),
		"the value":     errors.New("login failed for id 7 with " + request.GetSecret()),
		"quoted":        fmt.Errorf("login failed for id 7 with %q", request.GetSecret()),
		"a deep one":    fmt.Errorf("login failed for id 7 with %s", request.GetNested().GetSecret()),
		"in the public": interceptor.NewError(codes.InvalidArgument, "login failed for id 7 with deep-secret"),
		"in the cause":  interceptor.NewError(codes.InvalidArgument, "login failed", interceptor.WithCause(fmt.Errorf("id:\"7\" %q", request.GetSecret()))),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := logged(t, exchange{method: unary(), request: request, handler: quote(err)}, nil)
			text, _ := r["error"].(string)
			checkNoSecret(t, text, "hunter2", "deep-secret")
			if !strings.Contains(text, "login failed") || !strings.Contains(text, "[REDACTED]") {
				t.Errorf("error %q; want everything but the secrets", text)
			}
		})
	}
}

func TestSecretsOfEveryKindStayOutOfErrorText(t *testing.T) {
	t.Parallel()
	m := newZoo(map[string]any{
		"hidden_b": []byte("bytes-secret"), "hidden_i": int64(4242424242), "hidden_list": []string{"list-secret"},
		"hidden_zoo": newZoo(map[string]any{"text": "inner-secret"}), "hidden_map": map[string]string{"key-secret": "value-secret"},
	})
	secrets := []string{"bytes-secret", "4242424242", "list-secret", "inner-secret", "key-secret", "value-secret"}
	r := logged(t, exchange{method: visit(), request: m, handler: answer(nil, errors.New("failed: "+strings.Join(secrets, " ")))}, nil)
	text, _ := r["error"].(string)
	checkNoSecret(t, text, secrets...)
	if !strings.HasPrefix(text, "failed: ") {
		t.Errorf("error %q; want everything but the secrets", text)
	}
}

func TestErrorTextIsWithheldWithoutTheMessage(t *testing.T) {
	t.Parallel()
	quoting := errors.New(`proto: invalid value for string field secret: "hunter2"`)
	refuser := interceptor.FromFuncs("validate", interceptor.Funcs{
		OnReceive: func(context.Context, *interceptor.Call, any) error { return quoting },
		OnSend:    func(context.Context, *interceptor.Call, any) error { return nil },
	})
	many := make([]string, 1000)
	for i := range many {
		many[i] = fmt.Sprintf("hunter2-%d", i)
	}
	for name, r := range map[string]map[string]any{
		"undecodable": logged(t, exchange{method: unary(), refuse: quoting}, nil),
		"refused":     logged(t, exchange{method: unary(), request: &pb.UnaryRequest{Secret: "hunter2"}}, nil, refuser),
		"many":        logged(t, exchange{method: visit(), request: newZoo(map[string]any{"hidden_list": many}), handler: answer(nil, quoting)}, nil),
	} {
		if text, _ := r["error"].(string); !strings.HasPrefix(text, "[withheld") {
			t.Errorf("%s: error %q; want it withheld", name, text)
		}
	}
}

func TestSecretsInAnyStayOutOfErrorText(t *testing.T) {
	t.Parallel()
	pack := func(m proto.Message) *anypb.Any {
		a, err := anypb.New(m)
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	failure := answer(nil, errors.New("failed with hunter2"))
	m := &pb.UnaryResponse{Detail: pack(&pb.UnaryResponse{NestedList: []*pb.Nested{{Secret: "hunter2"}}})}
	check(t, logged(t, exchange{method: visit(), request: m, handler: failure}, nil), map[string]any{"error": "failed with [REDACTED]"})
	for range 100 {
		m = &pb.UnaryResponse{Detail: pack(m)}
	}
	r := logged(t, exchange{method: visit(), request: m, handler: failure}, nil)
	if text, _ := r["error"].(string); !strings.HasPrefix(text, "[withheld") {
		t.Errorf("error %q; want it withheld: the message is too deep to look into", text)
	}
}

// TestHidingDoesNotGrow makes every letter of the replacement a secret: replacing
// one secret after the other would replace within replacements.
func TestHidingDoesNotGrow(t *testing.T) {
	t.Parallel()
	letters := newZoo(map[string]any{"hidden_list": strings.Split("[REDACTED]", "")})
	r := logged(t, exchange{method: visit(), request: letters, handler: answer(nil, errors.New(strings.Repeat("RED", 1000)))}, nil)
	if text, _ := r["error"].(string); len(text) > 5000 || strings.Contains(text, "RED[") {
		t.Errorf("error %.100q… has %d bytes", text, len(text))
	}
}

// FuzzPayload checks on arbitrary messages that what is logged is one valid
// record without the values of redacted fields.
func FuzzPayload(f *testing.F) {
	for _, m := range []*pb.UnaryResponse{
		{Text: "shown", Nested: &pb.Nested{Text: "t"}},
		{NestedList: []*pb.Nested{{Text: "a"}, nil}, NestedMap: map[string]*pb.Nested{"k": {Text: "b"}}},
		{Detail: &anypb.Any{TypeUrl: "type.googleapis.com/crosscut.conformance.v1.Nested", Value: []byte("\n\x01x")}},
	} {
		b, err := proto.Marshal(m)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		m := new(pb.UnaryResponse)
		if proto.Unmarshal(b, m) != nil {
			return
		}
		const secret = "\u2603hunter2\u2603" // not to be found by chance
		m.Secret = secret
		for _, n := range append(m.GetNestedList(), m.GetNested()) {
			if n != nil {
				n.Secret = secret
			}
		}
		for _, n := range m.GetNestedMap() {
			n.Secret = secret
		}
		_, text := payloads(t, unary(), m)
		checkNoSecret(t, text, "hunter2")
	})
}

func BenchmarkRecord(b *testing.B) {
	stack := interceptor.MustNew(logging.New(slog.New(slog.NewJSONHandler(io.Discard, nil))))
	method, w := unary(), &wire{kind: driver.GRPC}
	b.ReportAllocs()
	for b.Loop() {
		c := new(interceptor.Call)
		ops.Begin(c, stack, context.Background(), w)
		ops.Request(c)
		ops.Resolve(c, method, "")
		ops.End(c, 0)
	}
}
