package main

import (
	"os"
	"strings"
	"testing"
)

// TestReadmeShowsTheTour fails when the page shows another trace than the tour.
func TestReadmeShowsTheTour(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	tour, err := os.ReadFile("testdata/tour.golden")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(page), "```text\n")
	shown, _, found := strings.Cut(rest, "\n```\n")
	if !found || !strings.Contains(shown, "└─warehouse SERVER") || !strings.Contains(string(tour), shown) {
		t.Errorf("README.md does not show the first scene of testdata/tour.golden:\n%s", shown)
	}
}
