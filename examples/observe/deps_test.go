package main
import (
 _ "github.com/crosscut-go/crosscut/builtin/telemetry"
 _ "github.com/prometheus/client_golang/prometheus/promhttp"
 _ "go.opentelemetry.io/contrib/instrumentation/google.golang.org/grpc/otelgrpc"
 _ "go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
 _ "go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracegrpc"
 _ "go.opentelemetry.io/otel/exporters/prometheus"
 _ "go.opentelemetry.io/proto/otlp/collector/trace/v1"
 _ "go.opentelemetry.io/otel/sdk/trace"
)
