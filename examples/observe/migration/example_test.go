package migration_test

import (
	"context"
	"fmt"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"go.opentelemetry.io/otel"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"google.golang.org/grpc"

	"github.com/crosscut-go/crosscut/examples/observe/migration"
	bookshopv1 "github.com/crosscut-go/crosscut/proto/crosscut/examples/bookshop/v1"
)

type shop struct {
	bookshopv1.UnimplementedBookshopServiceServer
}

func (shop) GetBook(context.Context, *bookshopv1.GetBookRequest) (*bookshopv1.GetBookResponse, error) {
	return &bookshopv1.GetBookResponse{Book: &bookshopv1.Book{Id: "1"}}, nil
}

// Both servers get the same requests. Each test of this file uses the global
// providers, as most programs do, so none runs beside another.
func Example() {
	spans := tracetest.NewSpanRecorder()
	otel.SetTracerProvider(sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(spans)))

	ctx, cancel := context.WithCancel(context.Background())
	lis, err := net.Listen("tcp", "localhost:0")
	if err != nil {
		log.Fatal(err)
	}
	before, web, err := migration.Before(ctx, shop{}, "passthrough:///"+lis.Addr().String())
	if err != nil {
		log.Fatal(err)
	}
	go serve(before, lis)
	ask(web)
	before.Stop()
	show("before", spans)

	spans.Reset()
	after, web, err := migration.After(ctx, shop{})
	if err != nil {
		log.Fatal(err)
	}
	ask(web)
	after.Stop()
	show("after", spans)
	cancel()

	// Output:
	// before
	//   server GET /v1/
	//   client crosscut.examples.bookshop.v1.BookshopService/GetBook
	//   server crosscut.examples.bookshop.v1.BookshopService/GetBook
	//   server GET /files/{name}
	// after
	//   server GET /v1/books/{id}
	//   server GET /files/{name}
}

func serve(srv *grpc.Server, lis net.Listener) {
	if err := srv.Serve(lis); err != nil {
		log.Fatal(err)
	}
}

// ask makes a REST call and gets a file.
func ask(handler http.Handler) {
	web := httptest.NewServer(handler)
	for _, path := range []string{"/v1/books/1", "/files/a"} {
		resp, err := http.Get(web.URL + path)
		if err != nil {
			log.Fatal(err)
		}
		if err := resp.Body.Close(); err != nil || resp.StatusCode != http.StatusOK {
			log.Fatal(resp.Status, err)
		}
	}
	web.Close()
}

func show(title string, spans *tracetest.SpanRecorder) {
	fmt.Println(title)
	for _, span := range spans.Started() {
		fmt.Printf("  %s %s\n", span.SpanKind(), span.Name())
	}
}

// TestPageShowsThisCode fails when the page shows code that is not that of this
// package, which is what compiles.
func TestPageShowsThisCode(t *testing.T) {
	page := read(t, page)
	for _, file := range []string{"before.go", "after.go"} {
		code := read(t, file)
		from, to := strings.Index(code, "func "), strings.Index(code, "\n}\n")
		if shown := code[from : to+len("\n}\n")]; !strings.Contains(page, "```go\n"+shown+"```\n") {
			t.Errorf("the page does not show this function of %s:\n%s", file, shown)
		}
	}
}

// TestPageNamesEveryDifference fails for an attribute or metric that the report
// finds to differ and that the page does not name.
func TestPageNamesEveryDifference(t *testing.T) {
	page, report := read(t, page), read(t, report)
	for line := range strings.Lines(report) {
		fields := strings.Split(line, " | ")
		if len(fields) != 4 || strings.HasPrefix(fields[3], " ") || fields[3] == "|\n" {
			continue
		}
		words := strings.Fields(fields[0])
		if name := words[len(words)-1]; strings.Contains(name, ".") && !strings.Contains(page, "`"+name+"`") {
			t.Errorf("the page does not name %s, which differs: %s", name, line)
		}
	}
}

// TestPageNamesWhatExists fails for options that package telemetry does not have.
func TestPageNamesWhatExists(t *testing.T) {
	_, options, found := strings.Cut(read(t, page), "## Options")
	if !found {
		t.Fatal("the page has no section Options")
	}
	exported := exportedNames(t)
	for line := range strings.Lines(options) {
		cells := strings.Split(line, "|")
		if len(cells) != 4 {
			continue
		}
		for _, name := range name.FindAllStringSubmatch(cells[2], -1) {
			if !exported[name[1]] {
				t.Errorf("the page names %s, which package telemetry does not have", name[1])
			}
		}
	}
}

var name = regexp.MustCompile("`([A-Z][A-Za-z]+)`")

// exportedNames returns what package telemetry exports, and methods, which do no
// harm.
func exportedNames(t *testing.T) map[string]bool {
	t.Helper()
	files, err := filepath.Glob("../../../builtin/telemetry/*.go")
	if err != nil || len(files) == 0 {
		t.Fatal("no files of package telemetry", err)
	}
	names := map[string]bool{}
	for _, file := range files {
		for _, found := range declared.FindAllStringSubmatch(read(t, file), -1) {
			names[found[1]] = true
		}
	}
	return names
}

// declared finds functions and types, and constants that stand alone on a line.
var declared = regexp.MustCompile(`(?m)^(?:func |type |\t)([A-Z][A-Za-z0-9]+)`)

const (
	page   = "../../../docs/migration-opentelemetry.md"
	report = "../../../docs/otel-differences.md"
)

func read(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
