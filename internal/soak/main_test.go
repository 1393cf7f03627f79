package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
	"google.golang.org/grpc/codes"
)

func TestMain(m *testing.M) {
	quiet()
	goleak.VerifyTestMain(m)
}

// A short soak: `make soak` does the long one.
func TestSoak(t *testing.T) {
	c := config{calls: 20_000, clients: 64, duration: 5 * time.Minute, seed: 1}
	if testing.Short() {
		c.calls = 2000
	}
	var out bytes.Buffer
	err := run(t.Context(), c, &out)
	t.Logf("\n%s", out.String())
	if err != nil {
		t.Fatal(err)
	}
	want := fmt.Sprintf("%d outcomes of clients", c.calls)
	if !strings.Contains(out.String(), want) {
		t.Errorf("the figures do not tell of %s", want)
	}
}

// The calls that are made include every act on every exchange.
func TestEveryKindOfCallIsMade(t *testing.T) {
	made := map[sort]bool{}
	for id := range 20_000 {
		made[choose(1, id)] = true
	}
	for e, exchange := range exchanges {
		for a := range numActs {
			if made[sort{uint8(e), a}] == (a == expire && exchange.noDeadline) {
				t.Errorf("%s %s, %s: made is %v", exchange.way, exchange.shape, a, made[sort{uint8(e), a}])
			}
		}
	}
}

// An audit finds what is wrong with the book of a round that went well.
func TestAuditFinds(t *testing.T) {
	number := func(b *book, a act) *record {
		for id := range b.records {
			if b.records[id].sort.act == a {
				return &b.records[id]
			}
		}
		t.Fatalf("no call of the act %q", a)
		return nil
	}
	for name, tc := range map[string]struct {
		forge func(b *book)
		want  string
	}{
		"nothing": {func(*book) {}, ""},
		"an AfterResponse that was lost": {
			func(b *book) { number(b, succeed).ended[1].Store(0) },
			"hook 1 was entered 1 times and told the outcome 0 times",
		},
		"an AfterResponse too many": {
			func(b *book) { number(b, refuse).ended[0].Add(1) },
			"hook 0 was entered 1 times and told the outcome 2 times",
		},
		"a hook that ended without being entered": {
			func(b *book) { number(b, refuse).ended[2].Add(1) },
			"hook 2 was entered 0 times and told the outcome 1 times",
		},
		"a hook that was entered twice": {
			func(b *book) { r := number(b, fail); r.entered[2].Add(1); r.ended[2].Add(1) },
			"hook 2 was entered 2 times and told the outcome 2 times",
		},
		"a client without an outcome":       {func(b *book) { number(b, crash).client.count.Store(0) }, "its client got 0 outcomes"},
		"a call that never began":           {func(b *book) { *number(b, succeed) = record{} }, "the server gave 0 outcomes"},
		"a client that got something else":  {func(b *book) { number(b, forge).client.code.Store(uint32(codes.OK)) }, "the client got OK"},
		"a server that says something else": {func(b *book) { number(b, fail).server.code.Store(uint32(codes.OK)) }, "the server says OK"},
		"a cancelled call that succeeded":   {func(b *book) { number(b, leave).server.code.Store(uint32(codes.OK)) }, "the server says OK"},
		"calls that nobody made":            {func(b *book) { b.strange.Add(1) }, "not made by a client"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := &book{records: make([]record, 1000)}
			if _, err := round(t.Context(), config{clients: 16, duration: time.Minute, seed: 2}, b); err != nil {
				t.Fatal(err)
			}
			tc.forge(b)
			err := b.audit().err()
			if tc.want == "" && err != nil || tc.want != "" && (err == nil || !strings.Contains(err.Error(), tc.want)) {
				t.Errorf("the audit says %v, want %q", err, tc.want)
			}
		})
	}
}

func TestLeaksAreFound(t *testing.T) {
	t.Parallel()
	before := usage{goroutines: 10, heap: 1 << 20}
	for name, tc := range map[string]struct {
		after usage
		leak  bool
	}{
		"the same":         {before, false},
		"less":             {usage{9, 1 << 19}, false},
		"a goroutine more": {usage{11, 1 << 20}, true},
		"more heap":        {usage{10, before.heap + heapSlack + 1}, true},
	} {
		if err := before.compare(tc.after, ""); (err != nil) != tc.leak {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestReportsAreCompared(t *testing.T) {
	t.Parallel()
	for reported, wrong := range map[int64]bool{1: true, 2: false, 3: true} {
		a := &audit{panics: 2}
		a.checkReports(reported)
		if (a.err() != nil) != wrong {
			t.Errorf("2 panics and %d reports: %v", reported, a.err())
		}
	}
}

func TestSignalsAreCompared(t *testing.T) {
	t.Parallel()
	for c, wrong := range map[counts]bool{
		{2, 2, 2, 2}: false,
		{1, 2, 2, 2}: true, {2, 3, 2, 2}: true, {2, 2, 1, 2}: true, {2, 2, 2, 3}: true,
	} {
		a := &audit{begun: 2}
		a.checkSignals(c)
		if (a.err() != nil) != wrong {
			t.Errorf("2 calls and %+v: %v", c, a.err())
		}
	}
}

// A run that could make no call proves nothing.
func TestRunWithoutCallsFails(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := run(ctx, config{calls: 10, clients: 1, duration: time.Minute}, io.Discard); err == nil || !strings.Contains(err.Error(), "no calls were made") {
		t.Errorf("run without time: %v; want an error that says so", err)
	}
	if err := run(t.Context(), config{}, io.Discard); err == nil || !strings.Contains(err.Error(), "-calls") {
		t.Errorf("run without calls: %v; want an error that names the flag", err)
	}
}
