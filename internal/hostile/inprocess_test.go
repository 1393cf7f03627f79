package hostile_test

import (
	"strings"
	"testing"
)

// TestInProcess is H65: a gateway over the implementation itself refuses whom the other
// one refuses, in the same words, and runs no handler for anybody.
func TestInProcess(t *testing.T) {
	t.Parallel()
	over, in := newSite(t, rest, options{}), newSite(t, inside, options{})
	ask := func(s *site, c call, fields ...string) reply {
		a, _, _ := c.over(s.door)
		a.fields = append(a.fields, fields...)
		return s.client().ask(a)
	}
	panics := get
	panics.rest = "/v1/items/" + idPanic
	for _, tc := range []struct {
		name   string
		call   call
		fields []string
		status int
	}{
		{"no credential", get, nil, 401},
		{"reader deletes", remove, []string{bearer(reader())}, 403},
		{"undeclared", legacy, []string{bearer(admin())}, 403},
		{"panic", panics, []string{bearer(reader())}, 500},
	} {
		a, b := ask(over, tc.call, tc.fields...), ask(in, tc.call, tc.fields...)
		if a.status != tc.status || a.text() != b.text() {
			t.Errorf("%s: over the connection\n%s\nin process\n%s", tc.name, a.text(), b.text())
		}
	}
	in.snapshot()
	if got := ask(in, get, bearer(reader())); got.status != 500 {
		t.Errorf("a good credential: %s", got.text())
	}
	in.watches[0].settle()
	_, _, lines, _ := in.out.take()
	if told := strings.Join(lines, ""); !strings.Contains(told, "HandlerClient") {
		t.Errorf("the operator is not told what to register: %s", told)
	}
	if n := in.service.handled.Load(); n != 0 {
		t.Errorf("the handler ran %d times", n)
	}
}
