package weborigin_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/crosscut-go/crosscut/internal/weborigin"
)

var good = []string{
	"https://app.example.com", "http://localhost", "http://localhost:3000", "https://app.example.com:8443",
	"https://192.0.2.1", "http://127.0.0.1:8080", "https://[2001:db8::1]", "https://[::1]:8443", "https://xn--bcher-kva.example",
	"https://a_b.example.com", "https://123.example.com", "chrome-extension://abcdefghijklmnop", "capacitor://localhost",
	"http://a.test:443", "https://a.test:80", "https://a.test:65535", "https://0xab.example.com",
}

// bad are origins that no browser sends, or that anybody can, and what the error
// says.
var bad = []struct{ name, origin, advice string }{
	{"empty", "", "empty"},
	{"null", "null", "sandboxed"},
	{"star", "*", "one by one"},
	{"wildcard", "https://*.example.com", "one by one"},
	{"no scheme", "app.example.com", "scheme is missing"},
	{"no scheme with a port", "localhost:3000", "scheme is missing"},
	{"relative scheme", "//app.example.com", "scheme is missing"},
	{"empty scheme", "://app.example.com", "scheme is empty"},
	{"scheme in upper case", "HTTPS://app.example.com", "lower case"},
	{"scheme that begins with a digit", "1https://a.test", "not a scheme"},
	{"file", "file://host", "origin null"},
	{"slash at the end", "https://app.example.com/", "nothing else"},
	{"path", "https://app.example.com/login", "nothing else"},
	{"query", "https://app.example.com?x", "nothing else"},
	{"fragment", "https://app.example.com#x", "nothing else"},
	{"user", "https://user@app.example.com", "nothing else"},
	{"backslash", `https://a.test\`, "nothing else"},
	{"no host", "https://", "host is missing"},
	{"no host with a port", "https://:8443", "host is missing"},
	{"host in upper case", "https://App.example.com", "lower case"},
	{"international name", "https://bücher.example", "xn--"},
	{"dot at the end", "https://app.example.com.", "empty label"},
	{"dot at the beginning", "https://.example.com", "empty label"},
	{"blank", "https://app.example.com ", "no host name has"},
	{"blank before", " https://app.example.com", "not a scheme"},
	{"two origins", "https://a.test,https://b.test", "nothing else"},
	{"percent", "https://a%2etest", "no host name has"},
	{"NUL", "https://a\x00.test", "no host name has"},
	{"long host", "https://" + strings.Repeat("a.", 127), "too long"},
	{"empty port", "https://app.example.com:", "port is empty"},
	{"usual port of https", "https://app.example.com:443", "leave out the port"},
	{"usual port of http", "http://localhost:80", "leave out the port"},
	{"port with zeros", "https://a.test:08443", "not a port"},
	{"port too high", "https://a.test:65536", "not a port"},
	{"port with a sign", "https://a.test:+443", "not a port"},
	{"port by name", "https://a.test:https", "not a port"},
	{"two ports", "https://a.test:1:2", "several colons"},
	{"IPv6 without brackets", "https://2001:db8::1", "in brackets"},
	{"IPv6, long spelling", "https://[2001:db8:0:0:0:0:0:1]", "IPv6"},
	{"IPv6 in upper case", "https://[2001:DB8::1]", "IPv6"},
	{"IPv6 with a zone", "https://[fe80::1%25eth0]", "IPv6"},
	{"IPv4 in IPv6", "https://[::ffff:192.0.2.1]", "IPv6"},
	{"IPv4 in brackets", "https://[192.0.2.1]", "IPv6"},
	{"bracket not closed", "https://[2001:db8::1", "IPv6"},
	{"text after the bracket", "https://[::1]a", "IPv6"},
	{"IPv4 in octal", "https://0300.0.2.1", "IPv4"},
	{"IPv4 in hexadecimal", "https://0xc0000201", "IPv4"},
	{"short IPv4", "https://127.1", "IPv4"},
	{"number", "https://3221225985", "IPv4"},
}

func TestCheck(t *testing.T) {
	t.Parallel()
	for _, origin := range good {
		if err := weborigin.Check(origin); err != nil {
			t.Errorf("%s: %v; want it accepted", origin, err)
		}
	}
	for _, tt := range bad {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if err := weborigin.Check(tt.origin); err == nil || !strings.Contains(err.Error(), tt.advice) {
				t.Errorf("%q: %v; want an error that says %q", tt.origin, err, tt.advice)
			}
		})
	}
}

// FuzzCheck compares with package net/url: what is accepted is scheme and host and
// nothing else, in the spelling that a browser would send.
func FuzzCheck(f *testing.F) {
	for _, origin := range good {
		f.Add(origin)
	}
	for _, tt := range bad {
		f.Add(tt.origin)
	}
	f.Fuzz(func(t *testing.T, origin string) {
		if weborigin.Check(origin) != nil {
			return
		}
		u, err := url.Parse(origin)
		if err != nil || u.Scheme+"://"+u.Host != origin || u.Hostname() == "" || strings.ToLower(origin) != origin {
			t.Fatalf("%q is accepted; net/url reads %+v, %v", origin, u, err)
		}
	})
}
