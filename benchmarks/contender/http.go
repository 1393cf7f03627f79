package contender

import (
	"net/http"
)

// HTTP is a contender for plain net/http.
type HTTP struct {
	Name string
	// Telemetry says that the contender does W6 as well.
	Telemetry bool
	// Handler serves h at pattern of a mux, behind the work.
	Handler func(p *Parts, pattern string, h http.Handler) http.Handler
}

// AllHTTP are the contenders for plain net/http.
func AllHTTP() []HTTP {
	return []HTTP{
		{Name: "chi", Telemetry: true, Handler: chiHTTP},
		{Name: "chi-same-line", Telemetry: true, Handler: chiSameLine},
		{Name: "crosscut", Telemetry: true, Handler: crosscutHTTP},
		{Name: "fused", Handler: fusedHTTP},
	}
}

// BareHTTP is the mux of net/http with nothing installed.
func BareHTTP(_ *Parts, pattern string, h http.Handler) http.Handler {
	mux := http.NewServeMux()
	mux.Handle(pattern, h)
	return mux
}

// BareChi is chi's router with nothing installed.
func BareChi(_ *Parts, pattern string, h http.Handler) http.Handler { return newChi(pattern, h) }
