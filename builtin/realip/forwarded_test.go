package realip_test

import (
	"strings"
	"testing"

	"github.com/crosscut-go/crosscut/builtin/realip"
)

// forwarded are values of the header of RFC 7239 that trusted proxies may bring
// along, and the client's address; "" is none. Trusted is 10.0.0.0/8.
var forwarded = []struct {
	name   string
	values []string
	want   string
}{
	{"no header", nil, "10.0.0.7"},
	{"one client", []string{"for=198.51.100.5"}, "198.51.100.5"},
	{"the client's own elements", []string{"for=1.1.1.1, for=198.51.100.5, for=10.0.0.9"}, "198.51.100.5"},
	{"two header lines", []string{"for=198.51.100.5", "for=10.0.0.9"}, "198.51.100.5"},
	{"upper case", []string{"FOR=198.51.100.5"}, "198.51.100.5"},
	{"all parameters", []string{`by=10.0.0.7;for=198.51.100.5;host=example.com;proto=https`}, "198.51.100.5"},
	{"blanks after semicolons", []string{`for=198.51.100.5; proto=https ; by=_x`}, "198.51.100.5"},
	{"empty pairs", []string{`;for=198.51.100.5;;`}, "198.51.100.5"},
	{"quoted", []string{`for="198.51.100.5"`}, "198.51.100.5"},
	{"quoted with a port", []string{`for="198.51.100.5:4711"`}, "198.51.100.5"},
	{"quoted with a pseudonym for the port", []string{`for="198.51.100.5:_a.b-c"`}, "198.51.100.5"},
	{"IPv6", []string{`for="[2001:db8::5]"`}, "2001:db8::5"},
	{"IPv6 with a port", []string{`for="[2001:db8::5]:4711"`}, "2001:db8::5"},
	{"IPv4 in IPv6 clothes", []string{`for=198.51.100.5, for="[::ffff:10.0.0.9]"`}, "198.51.100.5"},
	{"comma in a quoted host", []string{`for=198.51.100.5;host="a, for=10.0.0.9"`}, "198.51.100.5"},
	{"escaped quote in a quoted host", []string{`for=198.51.100.5;host="a\", for=10.0.0.9;x=\"b"`}, "198.51.100.5"},
	{"quoted host that ends in a backslash", []string{`for=198.51.100.5;host="a, for=10.0.0.9\\"`}, "198.51.100.5"},
	{"quoted host that begins with a quote", []string{`for=198.51.100.5;host="\", for=10.0.0.9"`}, "198.51.100.5"},
	{"stranger opened a quote", []string{`for="1.1.1.1, for=198.51.100.5`}, "198.51.100.5"},
	{"stranger opened a quote, proxy quotes", []string{`for="1.1.1.1, for="198.51.100.5"`}, "198.51.100.5"},
	{"stranger ended in a backslash", []string{`for="\, for="198.51.100.5"`}, "198.51.100.5"},
	{"garbage left of the client", []string{`=;"\,,, for=198.51.100.5`}, "198.51.100.5"},
	{"kilobytes left of the client", []string{strings.Repeat(`"\`, 20000) + `,for=198.51.100.5`}, "198.51.100.5"},
	{"every hop is trusted", []string{"for=10.1.1.1, for=10.0.0.9"}, "10.1.1.1"},
	{"17 proxies", []string{"for=198.51.100.5" + strings.Repeat(", for=10.0.0.9", 16)}, ""},

	{"empty", []string{""}, ""},
	{"empty last element", []string{"for=198.51.100.5,"}, ""},
	{"no for", []string{"for=198.51.100.5, proto=https"}, ""},
	{"two for", []string{"for=198.51.100.5;for=10.0.0.9"}, ""},
	{"two for, in other case", []string{"for=10.0.0.9;For=198.51.100.5"}, ""},
	{"unknown", []string{"for=unknown"}, ""},
	{"pseudonym", []string{"for=_hidden"}, ""},
	{"entry of X-Forwarded-For", []string{"198.51.100.5"}, ""},
	{"empty value", []string{"for="}, ""},
	{"empty quoted value", []string{`for=""`}, ""},
	{"quote not closed", []string{`for="198.51.100.5`}, ""},
	{"quote not opened", []string{`for=198.51.100.5"`}, ""},
	{"two values", []string{`for=198.51.100.5 10.0.0.9`}, ""},
	{"text after the quotes", []string{`for="198.51.100.5"x`}, ""},
	{"port without quotes", []string{`for=198.51.100.5:80`}, ""},
	{"IPv6 without quotes", []string{`for=[2001:db8::5]`}, ""},
	{"blank before the value", []string{`for= 198.51.100.5`}, ""},
	{"blank after the name", []string{`for =198.51.100.5`}, ""},
	{"no name", []string{`=198.51.100.5`}, ""},
	{"escaped address", []string{`for="198.51.100.\5"`}, ""},
	{"pseudonym of a port without a name", []string{`for="198.51.100.5:_"`}, ""},
	{"pseudonym of a port with a slash", []string{`for="198.51.100.5:_a/b"`}, ""},
	{"zone", []string{`for="[fe80::1%25eth0]"`}, ""},
	{"long element", []string{`for=198.51.100.5;x=` + strings.Repeat("y", 512)}, ""},
	{"long quoted element", []string{`for=198.51.100.5;x="` + strings.Repeat(",", 512) + `"`}, ""},
}

func TestForwardedOfATrustedPeer(t *testing.T) {
	t.Parallel()
	hook := realip.New(realip.Forwarded(), realip.Trust("10.0.0.0/8"))
	for _, tt := range forwarded {
		for transport, opts := range transports {
			t.Run(tt.name+"/"+transport, func(t *testing.T) {
				t.Parallel()
				check(t, hook, tcp(proxy), "Forwarded", tt.values, opts, tt.want)
			})
		}
	}
}
