package jwks

import (
	"context"
	"fmt"
	"io"
	"net/http"

	"github.com/crosscut-go/crosscut/builtin/authn/jwt"
)

// fetch gets and reads a key set. The client bounds redirects, size and time.
func fetch(ctx context.Context, client *http.Client, url, rsaAlgorithm string) (map[string]jwt.Key, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return nil, fmt.Errorf("jwks: %w", err)
	}
	r.Header.Set("Accept", "application/jwk-set+json, application/json")
	resp, err := client.Do(r)
	if err != nil {
		return nil, fmt.Errorf("jwks: the key set cannot be fetched; check the URL and the network: %w", err)
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("jwks: the server of the key set answered with status %d; check the URL", resp.StatusCode)
	}
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, fmt.Errorf("jwks: the key set cannot be read: %w", err)
	}
	return parse(string(body), rsaAlgorithm)
}
