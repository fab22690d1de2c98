package option

import (
	"github.com/oras-mirror/oras-mirror/internal/overwrite"
)

// EventFlags select the format in which a run reports its progress.
type EventFlags struct {
	Format string `group:"Run" enum:"text,json" default:"text" placeholder:"text|json" help:"Report progress as text, or as json: one JSON object per event on standard output."`
}

// WantsEvents reports whether events replace the lines of a run.
func (f *EventFlags) WantsEvents() bool { return f.Format == "json" }

// FilesWritten lists standard output if events go there.
func (f *EventFlags) FilesWritten() []overwrite.File {
	if !f.WantsEvents() {
		return nil
	}
	return []overwrite.File{{What: "standard output", Path: overwrite.StdoutPath}}
}
