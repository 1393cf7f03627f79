package main

import (
	"context"
	"fmt"
	"net/http"
	"strings"
)

// browser plays what a browser sends for pages of the shop's own front end and of a
// stranger, and a proxy in front of the shop.
func (t *tour) browser(ctx context.Context) error {
	table := grid{head: []string{"", "got", "and"}}
	from := func(origin string) http.Header {
		return http.Header{"Origin": {origin}, "Sec-Fetch-Site": {"cross-site"}}
	}
	preflight := func(origin string) http.Header {
		h := from(origin)
		h.Set("Access-Control-Request-Method", http.MethodGet)
		h.Set("Access-Control-Request-Headers", "authorization")
		return h
	}
	const stranger = "https://evil.example"
	for _, b := range []struct {
		title, method, path string
		header              http.Header
		show                []string
	}{
		{"preflight, our front end", http.MethodOptions, "/v1/books/1", preflight(frontEnd), []string{"Access-Control-Allow-Origin"}},
		{"preflight, a stranger's page", http.MethodOptions, "/v1/books/1", preflight(stranger), []string{"Access-Control-Allow-Origin"}},
		{"POST /letters, our front end", http.MethodPost, "/letters", from(frontEnd), []string{"Access-Control-Allow-Origin"}},
		{"POST /letters, a stranger's page", http.MethodPost, "/letters", from(stranger), []string{"Access-Control-Allow-Origin"}},
		{"GET /hours", http.MethodGet, "/hours", http.Header{}, []string{"Strict-Transport-Security", "X-Frame-Options"}},
		{"GET /admin/sales, no token", http.MethodGet, "/admin/sales", http.Header{}, []string{"Www-Authenticate", "X-Frame-Options"}},
	} {
		got, rec, err := t.fetch(ctx, b.method, b.path, b.header)
		if err != nil {
			return fmt.Errorf("%s: %w", b.title, err)
		}
		table.add([]string{b.title, got.status, headers(got.header, b.show)}, reasons([]record{rec})...)
	}
	if err := table.print(t.out, "What browsers are told: cors, csrf and secureheaders, over HTTP alone"); err != nil {
		return err
	}
	return t.proxy(ctx)
}

// proxy shows whose word about the client's address counts: the first entry is what
// a client wrote, the second what the trusted proxy on this machine added.
func (t *tour) proxy(ctx context.Context) error {
	const forwarded = "198.51.100.1, 203.0.113.7"
	_, rec, err := t.fetch(ctx, http.MethodGet, "/hours", http.Header{"X-Forwarded-For": {forwarded}})
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(t.out, `
Behind a trusted proxy, the client is whom the proxy names

  X-Forwarded-For: %s   the log says client_address %s
`, forwarded, rec.ClientAddress)
	return err
}

// fetch makes one call and returns the answer and the log's record of it.
func (t *tour) fetch(ctx context.Context, method, path string, header http.Header) (answer, record, error) {
	var got answer
	send := func(ctx context.Context, id, _ string) (string, error) {
		header.Set("X-Request-Id", id)
		var err error
		got, err = t.request(ctx, method, path, "", header)
		return "", err
	}
	_, rec, err := t.make(ctx, call{path, send}, t.cast.nobody)
	return got, rec, err
}

func headers(h http.Header, names []string) string {
	var all []string
	for _, name := range names {
		if value := h.Get(name); value != "" {
			all = append(all, name+": "+value)
		} else {
			all = append(all, "no "+name)
		}
	}
	return strings.Join(all, "; ")
}
