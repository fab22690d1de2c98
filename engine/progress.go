package engine

import "fmt"

// Progress observes a run. Its methods are called from many goroutines and must return at
// once: no transfer waits for a screen.
type Progress interface {
	// Listed adds n references that became known while sources are expanded.
	Listed(n int)
	// Resolved says that the graph of one more artifact is known.
	Resolved()
	// Expect adds bytes that will move; less than 0 takes back bytes that turned
	// out to be there.
	Expect(bytes int64)
	// Moving names the artifact that moves now, for the description of a bar.
	Moving(reference string)
	// Moved counts bytes that came or went.
	Moved(n int64)
	// Finished says that one artifact is whole in the output or in the target.
	Finished(a ArtifactReport)
	// Failed says that one artifact failed; a.Err says why.
	Failed(a ArtifactReport)
	// Notice tells the user something that is not a failure.
	Notice(message string)
}

// Resuming says that a run continues an interrupted archive.
func Resuming(path string, present int64) string {
	return fmt.Sprintf("resuming %s: %d bytes already present", path, present)
}

// Silent is a Progress that shows nothing.
type Silent struct{}

func (Silent) Listed(int)              {}
func (Silent) Resolved()               {}
func (Silent) Expect(int64)            {}
func (Silent) Moving(string)           {}
func (Silent) Moved(int64)             {}
func (Silent) Finished(ArtifactReport) {}
func (Silent) Failed(ArtifactReport)   {}
func (Silent) Notice(string)           {}

var _ Progress = Silent{}
