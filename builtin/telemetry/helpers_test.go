package telemetry_test

import (
	"io"
	"log"

	"go.opentelemetry.io/otel/attribute"
)

// silent drops what net/http logs about aborted connections.
var silent = log.New(io.Discard, "", 0)

// nilEncoder prints attribute sets.
var nilEncoder = attribute.DefaultEncoder()

func attributeKey(key string) attribute.Key { return attribute.Key(key) }
