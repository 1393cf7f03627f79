package main

import (
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/crosscut-go/crosscut/httpadapter"
)

// The README's secured stack is that of secure.go, to the letter.
func TestReadmeShowsTheSecuredStack(t *testing.T) {
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	source, err := os.ReadFile("secure.go")
	if err != nil {
		t.Fatal(err)
	}
	shown := string(source[strings.Index(string(source), "func secured"):])
	if !strings.Contains(string(readme), "```go\n"+shown+"```\n") {
		t.Error("README.md does not show the function of examples/readme/secure.go; copy it")
	}
}

// The stack does what the README says of it: nothing is open by accident.
func TestSecuredStack(t *testing.T) {
	stack, err := secured(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	reached := false
	handler := func(http.ResponseWriter, *http.Request) { reached = true }
	mux := httpadapter.NewMux(stack)
	mux.HandleFunc("GET /files/{name}", handler)
	if err := mux.Check(); err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	mux.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/files/a.txt", nil))
	if w.Code != http.StatusUnauthorized || reached {
		t.Errorf("a stranger got %d, the handler ran: %v", w.Code, reached)
	}
	mux.HandleFunc("GET /forgotten", handler)
	if err := mux.Check(); err == nil || !strings.Contains(err.Error(), "GET /forgotten") {
		t.Errorf("Check returned %v, want an error that names the route nobody declared", err)
	}
}
