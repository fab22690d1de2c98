package stories

import (
	"strconv"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/oras-mirror/oras-mirror/internal/testbucket"
)

// bucket [unconditional] starts an S3 server, to which the variables of AWS lead, and sets
// $BUCKET to s3://NAME. The server may ignore the conditions of writes.
func (w *world) bucket(ts *testscript.TestScript, _ bool, args []string) {
	w.server = testbucket.Start(w.tb)
	for name, value := range w.server.Environment() {
		ts.Setenv(name, value)
	}
	ts.Setenv("BUCKET", "s3://"+testbucket.Name)
	ts.Setenv("OBJECTS", w.server.Folder)
	if len(args) > 0 && args[0] == "unconditional" {
		w.server.Inject(testbucket.Unconditional("If-Match"))
	}
}

// deny WHAT has the policy of the bucket deny to write, to list, to see unfinished uploads, or
// to write the objects whose key ends with a name: write, list, uploads or NAME. deny nothing
// ends it.
func (w *world) deny(_ *testscript.TestScript, _ bool, args []string) {
	switch args[0] {
	case "nothing":
		w.server.Inject(nil)
	case "write":
		w.server.Inject(testbucket.DenyWrites)
	case "list":
		w.server.Inject(w.server.DenyLists)
	case "uploads":
		w.server.Inject(testbucket.DenyUploads)
	default:
		w.server.Inject(testbucket.DenyObject(args[0]))
	}
}

// objects KIND N... checks the number of requests of the given kinds since the last check,
// as in: objects LIST 1 GET 2. No others may have come.
func (w *world) objects(ts *testscript.TestScript, _ bool, args []string) {
	got := w.server.Requests()
	for i := 0; i+1 < len(args); i += 2 {
		if n := strconv.Itoa(got[args[i]]); n != args[i+1] {
			ts.Fatalf("%s requests of %s, want %s; in all: %v", n, args[i], args[i+1], got)
		}
		delete(got, args[i])
	}
	if len(args) > 0 && len(got) > 0 {
		ts.Fatalf("more requests: %v", got)
	}
}
