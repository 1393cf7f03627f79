package main

import (
	"os"
	"strings"
	"testing"
)

func Example() {
	main()
	// Output:
	// grpc /crosscut.examples.bookshop.v1.BookshopService/GetBook OK
	// http /crosscut.examples.bookshop.v1.BookshopService/GetBook OK
	// http GET /files/{name} OK
	// http /crosscut.examples.bookshop.v1.BookshopService/GetBook Unauthenticated
}

// The program in the README is this one, to the letter, and so is its output.
func TestReadmeShowsThisProgram(t *testing.T) {
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	source, err := os.ReadFile("main.go")
	if err != nil {
		t.Fatal(err)
	}
	program := source[strings.Index(string(source), "package main"):] // without the comment for this repository
	if !strings.Contains(string(readme), "```go\n"+string(program)+"```\n") {
		t.Error("the program in README.md differs from examples/readme/main.go; copy the file into the README")
	}
	if n := strings.Count(string(program), "\n"); n >= 50 {
		t.Errorf("the README's program has %d lines; it has to stay short", n)
	}
	self, err := os.ReadFile("main_test.go")
	if err != nil {
		t.Fatal(err)
	}
	_, output, _ := strings.Cut(string(self), "// Output:\n")
	output, _, _ = strings.Cut(output, "\n}\n")
	output += "\n"
	output = strings.ReplaceAll(output, "\t// ", "")
	if !strings.Contains(string(readme), "```text\n"+output+"```\n") {
		t.Errorf("README.md does not show the program's output:\n%s", output)
	}
}
