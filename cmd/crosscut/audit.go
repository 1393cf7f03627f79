package main

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/crosscut-go/crosscut/builtin/policy"
)

// finding is what the audit is for, as opposed to a failure of the command.
type finding string

func (f finding) Error() string { return string(f) }

// errHelped ends the command after -help.
var errHelped = errors.New("helped")

// options are the command line of audit.
type options struct {
	format string
	golden string
	update bool
	file   string // "" or "-" for standard input
}

func audit(args []string, stdin io.Reader, stdout, stderr io.Writer) error {
	o, err := parse(args, stdout, stderr)
	if err != nil {
		return err
	}
	services, err := load(o.file, stdin)
	if err != nil {
		return err
	}
	table := policy.TableOfServices(services)
	var text bytes.Buffer
	if err := writers[o.format](table, &text); err != nil {
		return err
	}
	if o.golden == "" {
		if _, err := stdout.Write(text.Bytes()); err != nil {
			return err
		}
		return problems(table)
	}
	// Both are reported: a change of policy may be what leaves a method undeclared.
	return errors.Join(o.compare(text.Bytes(), stdout), problems(table))
}

var writers = map[string]func(*policy.Table, io.Writer) error{
	"table":    (*policy.Table).WriteText,
	"json":     (*policy.Table).WriteJSON,
	"markdown": (*policy.Table).WriteMarkdown,
}

func parse(args []string, stdout, stderr io.Writer) (options, error) {
	var o options
	flags := flag.NewFlagSet("crosscut audit", flag.ContinueOnError)
	flags.SetOutput(io.Discard) // the errors are reported once, by run
	flags.StringVar(&o.format, "format", "table", "the `form` to print in: table, json or markdown")
	flags.StringVar(&o.golden, "golden", "", "compare with this `file` and print a unified diff")
	flags.BoolVar(&o.update, "update", false, "with -golden: write the file instead of comparing")
	err := flags.Parse(args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		flags.SetOutput(stdout)
		_, _ = fmt.Fprint(stdout, usage+"\n")
		flags.PrintDefaults()
		return o, errHelped
	case err != nil:
	case writers[o.format] == nil:
		err = fmt.Errorf("-format %q: use table, json or markdown", o.format)
	case o.update && o.golden == "":
		err = errors.New("-update: say with -golden which file to write")
	case flags.NArg() > 1:
		err = fmt.Errorf("%d files are named, after the flags there can be one: %s", flags.NArg(), strings.Join(flags.Args(), " "))
	}
	if err != nil {
		_, _ = fmt.Fprint(stderr, usage)
		return o, err
	}
	o.file = flags.Arg(0)
	return o, nil
}

// compare compares with the golden file, or writes it.
func (o options) compare(now []byte, stdout io.Writer) error {
	if o.update {
		return os.WriteFile(o.golden, now, 0o644) // a file of the repository, for everybody to read
	}
	before, err := os.ReadFile(o.golden)
	if errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("%w; write it with -update", err)
	}
	if err != nil {
		return err
	}
	difference := diff(o.golden, string(before), string(now))
	if difference == "" {
		return nil
	}
	if _, err := io.WriteString(stdout, difference); err != nil {
		return err
	}
	return finding(fmt.Sprintf("the policy is not that of %s; review the difference, then accept it with -update", o.golden))
}

// problems lists the methods that would keep a server from starting.
func problems(t *policy.Table) error {
	var b strings.Builder
	n := 0
	for _, r := range t.Rows {
		if r.Problem != "" {
			n++
			b.WriteString("\n  " + strings.ReplaceAll(r.Problem, "\n", "\n    "))
		}
	}
	if n == 0 {
		return nil
	}
	return finding(fmt.Sprintf("%d of %d methods have no valid policy:%s", n, len(t.Rows), b.String()))
}
