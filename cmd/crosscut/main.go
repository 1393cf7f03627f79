// Command crosscut shows who may call what.
//
//	crosscut audit [flags] [file]
//
// audit reads a FileDescriptorSet or a buf image, in binary form, from the file or
// from standard input, and prints every method with its REST bindings and its
// effective policy: what the .proto files say, with that of services added. A golden file in
// the repository shows every change of policy to a review:
//
//	buf build -o - | crosscut audit
//	protoc --include_imports --descriptor_set_out=api.binpb api.proto && crosscut audit api.binpb
//	buf build -o - | crosscut audit -format markdown -golden policy.md
//
// The flags are:
//
//	-format table, json or markdown
//	    the form to print in; the default is table
//	-golden file
//	    print nothing and compare with the file instead; if they differ, print a
//	    unified diff
//	-update
//	    with -golden: write the file instead of comparing
//
// The exit status is 0 if every method has a valid policy and the golden file agrees,
// 1 if not (standard error lists the methods), and 2 if the command could not do its
// work. Policy that is declared in Go is not in descriptors; programs print the same
// table with package policy's TableOf.
package main

import (
	"errors"
	"fmt"
	"io"
	"os"
)

// The exit statuses of the command.
const (
	exitOK      = 0
	exitFinding = 1
	exitUsage   = 2
)

const usage = `usage: crosscut audit [-format table|json|markdown] [-golden file [-update]] [file]

audit prints every method of a FileDescriptorSet or buf image (binary; from the file or
standard input) with its REST bindings and effective policy. "crosscut audit -help"
lists the flags.
`

func main() { os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr)) }

// run is the command without the process around it.
func run(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	if len(args) == 0 {
		_, _ = fmt.Fprint(stderr, usage)
		return exitUsage
	}
	switch args[0] {
	case "audit":
	case "help", "-h", "-help", "--help":
		_, _ = fmt.Fprint(stdout, usage)
		return exitOK
	default:
		_, _ = fmt.Fprintf(stderr, "crosscut: there is no command %q\n%s", args[0], usage)
		return exitUsage
	}
	err := audit(args[1:], stdin, stdout, stderr)
	if err == nil || errors.Is(err, errHelped) {
		return exitOK
	}
	_, _ = fmt.Fprintf(stderr, "crosscut audit: %s\n", err)
	if f := finding(""); errors.As(err, &f) {
		return exitFinding
	}
	return exitUsage
}
