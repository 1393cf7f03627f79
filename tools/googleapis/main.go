// Command googleapis writes google/api/annotations.proto and what it imports into a folder, so that our own protos can
// import them while they are compiled. The files are printed from the descriptors linked into the genproto module, which
// is the one the generated code imports: source and Go code cannot drift apart, no copy has to be committed, and no
// schema registry is asked.
package main

import (
	"fmt"
	"os"

	"github.com/jhump/protoreflect/v2/protoprint"
	"google.golang.org/genproto/googleapis/api/annotations"
	"google.golang.org/protobuf/reflect/protoreflect"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: googleapis FOLDER")
		os.Exit(2)
	}
	if err := write(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "googleapis:", err)
		os.Exit(1)
	}
}

// write prints the files below folder under the paths by which they are imported.
func write(folder string) error {
	files := []protoreflect.FileDescriptor{
		annotations.File_google_api_annotations_proto,
		annotations.File_google_api_http_proto,
	}
	var printer protoprint.Printer
	if err := printer.PrintProtosToFileSystem(files, folder); err != nil {
		return fmt.Errorf("write googleapis protos to %s: %w", folder, err)
	}
	return nil
}
