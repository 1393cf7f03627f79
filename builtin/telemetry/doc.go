// Package telemetry makes traces and metrics of every call, whichever transport carried it.
package telemetry
