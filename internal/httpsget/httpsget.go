// Package httpsget makes HTTP clients for the documents that trust hangs on: key sets and discovery documents. They
// speak https only, follow no redirect to another host, keep no cookies, give up in time, and read no more than they
// were told.
package httpsget

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"
)

// MaxBody is how many bytes of a response are read, after decompression.
const MaxBody = 1 << 20

// maxRedirects is how many redirects in a row are followed on one host.
const maxRedirects = 3

var (
	errScheme   = errors.New("only https is spoken here")
	errRedirect = errors.New("refusing a redirect to another host, to plain http, or one too many")
	errTooLong  = errors.New("the response is longer than 1 MiB")
)

// CheckURL returns an error that says what to do if raw is not an absolute https URL without user information and
// fragment.
func CheckURL(raw string) error {
	u, err := url.Parse(raw)
	switch {
	case err != nil:
		return errors.New("it is not a URL")
	case u.Scheme != "https" || u.Host == "":
		return fmt.Errorf("use an absolute https URL instead of %q: who can change the answer on its way can be any caller", u.Redacted())
	case u.User != nil || u.Fragment != "":
		return errors.New("leave user information and fragment out of the URL; a client with its own transport can authenticate")
	}
	return nil
}

// Client returns a guarded copy of base, or a client of its own without one. A request, its redirects and the body
// together take no longer than timeout. The body fails to read beyond [MaxBody].
func Client(base *http.Client, timeout time.Duration) *http.Client {
	guarded := http.Client{}
	if base != nil {
		guarded = *base
	}
	if guarded.Transport == nil {
		guarded.Transport = newTransport()
	}
	guarded.Transport = guard{guarded.Transport}
	guarded.CheckRedirect = sameHost
	guarded.Jar = nil
	if guarded.Timeout <= 0 || guarded.Timeout > timeout {
		guarded.Timeout = timeout
	}
	return &guarded
}

// newTransport has no idle connections: minutes lie between two fetches, and nobody closes them.
func newTransport() http.RoundTripper {
	return &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		DisableKeepAlives:      true,
		ForceAttemptHTTP2:      true,
		MaxResponseHeaderBytes: 64 << 10,
	}
}

func sameHost(r *http.Request, via []*http.Request) error {
	if r.URL.Scheme != "https" || r.URL.Host != via[0].URL.Host || len(via) > maxRedirects {
		return errRedirect
	}
	return nil
}

// guard is a transport that refuses plain http and bounds bodies.
type guard struct{ next http.RoundTripper }

// RoundTrip implements [http.RoundTripper].
func (g guard) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Scheme != "https" {
		return nil, errScheme
	}
	resp, err := g.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	resp.Body = &boundedBody{ReadCloser: resp.Body, left: MaxBody}
	return resp, nil
}

// boundedBody fails instead of ending where a body is too long: half a document must not pass for a whole one.
type boundedBody struct {
	io.ReadCloser
	left int64
}

// Read implements [io.Reader].
func (b *boundedBody) Read(p []byte) (int, error) {
	if int64(len(p)) > b.left+1 {
		p = p[:b.left+1] // one more, to tell a body of just this length from a longer one
	}
	n, err := b.ReadCloser.Read(p)
	if int64(n) > b.left {
		n, err = int(b.left), errTooLong
	}
	b.left -= int64(n)
	return n, err
}
