package engine

import (
	"errors"
	"slices"

	"github.com/opencontainers/go-digest"

	"github.com/oras-mirror/oras-mirror/config"
)

// Forecast is what a run would do, in the numbers that its report then has.
type Forecast struct {
	Artifacts []Outlook
	Distinct  int64    // bytes of all that was selected, each manifest and blob once
	Shared    int64    // bytes that artifacts have in common, counted once for each but the first
	There     int64    // of the distinct bytes, those that are there already
	Near      int64    // and those that come from layouts on disk, over no network
	Parts     int      // how many manifests and blobs the distinct bytes are
	New       int      // how many of these are not there
	Transfer  int64    // bytes that will be moved: Report.Moved
	Transfers int      // blobs that will be moved
	Needed    int64    // of a backup: bytes of disk that its output needs at most
	Requests  int      // all that the run will make but for tokens, those that were made for the forecast included
	Newest    []Newest // of a backup: where the newest tags were selected, by repository
}

// State is what a run would do about one artifact.
type State string

const (
	StateNew       State = "new"
	StateChanged   State = "changed"
	StateUnchanged State = "unchanged"
	StateFailed    State = "failed"
)

// Outlook is what a run would do about one artifact.
type Outlook struct {
	Reference config.Reference // of a backup; for a restore what the layout calls it is in Name
	Name      string
	Target    string // of a restore
	Digest    digest.Digest
	MediaType string
	Size      int64             // bytes of its graph
	Platforms []config.Platform // those that an index is cut down to
	Rewritten bool              // of a restore: that index would be rewritten
	Referrers []digest.Digest   // sorted; those with a tag of cosign's among them
	Subjects  []digest.Digest   // of a backup: what it refers to itself, sorted
	State     State
	Err       error
}

// Changes says whether the run would change anything.
func (f *Forecast) Changes() bool {
	return slices.ContainsFunc(f.Artifacts, func(o Outlook) bool { return o.State != StateUnchanged })
}

// Lock makes of a forecast what pins it. It fails where an artifact could not be
// resolved: a lock that lacks something would pin its absence.
func (f *Forecast) Lock() (*config.Lock, error) {
	lock := new(config.Lock)
	var errs []error
	locked := make(map[string]bool)
	for _, o := range f.Artifacts {
		if o.Err != nil {
			errs = append(errs, o.Err)
			continue
		}
		if locked[o.Name] { // by tag, and by tag and digest; another digest would have collided
			continue
		}
		locked[o.Name] = true
		lock.Artifacts = append(lock.Artifacts, config.LockedArtifact{Reference: o.Reference, Digest: o.Digest,
			MediaType: o.MediaType, Size: o.Size, Platforms: o.Platforms, Referrers: o.Referrers, Subjects: o.Subjects})
	}
	return lock, errors.Join(errs...)
}
