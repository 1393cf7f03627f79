package strictjson_test

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"github.com/crosscut-go/crosscut/internal/strictjson"
)

var good = []string{
	`{}`, ` { } `, "\t{\"a\":1}\r\n", `{"a":null,"b":true,"c":false}`, `{"a":[1,-2.5,3e2,0,-0,0.1E+2,1e-3]}`,
	`{"a":{"b":{"a":[]}}}`, `{"a":"x\"\\\/\b\f\n\r\té\ud83d\ude00ü"}`, `{"exp":9007199254740992}`, `{"":""}`,
	`{"a":[{"x":1},{"x":2}]}`, `{"a":1e-400}`, `{"a":"` + "\u2028" + `"}`,
}

var bad = map[string]string{
	"empty": "", "not an object": `[]`, "a text": `"a"`, "null": `null`, "half": `{`, "no value": `{"a":}`, "no colon": `{"a" 1}`,
	"no comma": `{"a":1 "b":2}`, "comma at the end": `{"a":1,}`, "comma at the end of an array": `{"a":[1,]}`, "array left open": `{"a":[1`,
	"text left open": `{"a":"x`, "text left open after an escape": `{"a":"\n`, "text left open in an escape": `{"a":"\`, "unquoted name": `{a:1}`,
	"single quotes": `{'a':1}`, "junk behind": `{} x`, "two objects": `{}{}`, "null behind": "{}\x00", "byte order mark": "\ufeff{}",
	"a member twice": `{"sub":"alice","sub":"root"}`, "a member twice, escaped": `{"sub":"alice","s\u0075b":"root"}`,
	"a member twice, nested": `{"a":[{"b":1,"b":2}]}`, "leading zero": `{"a":01}`, "plus": `{"a":+1}`, "hexadecimal": `{"a":0x10}`,
	"point without digits": `{"a":1.}`, "exponent without digits": `{"a":1e}`, "minus alone": `{"a":-}`, "infinity": `{"a":Infinity}`, "NaN": `{"a":NaN}`,
	"underscore": `{"a":1_0}`, "too large": `{"a":9007199254740994}`, "too small": `{"a":-9007199254740994}`, "beyond all": `{"a":1e400}`,
	"invalid UTF-8": "{\"a\":\"\xff\"}", "invalid UTF-8 after an escape": "{\"a\":\"\\n\xff\"}", "invalid UTF-8 in a name": "{\"\xc3\":1}",
	"first half of a pair": `{"a":"\ud83d"}`, "first half and a letter": `{"a":"\ud83d\u0041"}`, "second half": `{"a":"\ude00"}`, "half a pair and junk": `{"a":"\ud83d\uzzzz"}`,
	"short escape": `{"a":"\u12"}`, "escape without digits": `{"a":"\u00g0"}`, "unknown escape": `{"a":"\x41"}`, "control": "{\"a\":\"\n\"}",
	"control after an escape": "{\"a\":\"\\n\n\"}", "half a word": `{"a":tru}`, "wrong word": `{"a":nul1}`, "too deep": `{"a":[[[[]]]]}`,
	"much too deep": strings.Repeat(`{"a":`, 1e5),
}

func TestObject(t *testing.T) {
	t.Parallel()
	for _, text := range good {
		got, err := strictjson.Object(text, 4)
		var want map[string]any
		if e := json.Unmarshal([]byte(text), &want); err != nil || e != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %v, %v; encoding/json has %v, %v", text, got, err, want, e)
		}
	}
}

func TestObjectRefuses(t *testing.T) {
	t.Parallel()
	for name, text := range bad {
		if got, err := strictjson.Object(text, 4); err == nil || got != nil {
			t.Errorf("%s: %v, %v; want an error", name, got, err)
		}
	}
}

// FuzzObject checks that whatever is accepted means the same to encoding/json.
func FuzzObject(f *testing.F) {
	for _, text := range good {
		f.Add(text)
	}
	for _, text := range bad {
		if len(text) < 1000 {
			f.Add(text)
		}
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, err := strictjson.Object(text, 8)
		if err != nil {
			return
		}
		var want map[string]any
		if err := json.Unmarshal([]byte(text), &want); err != nil || !reflect.DeepEqual(got, want) {
			t.Fatalf("%q: %v; encoding/json has %v, %v", text, got, want, err)
		}
	})
}
