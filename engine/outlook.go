package engine

import (
	"errors"
	"slices"

	"github.com/opencontainers/go-digest"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/config/lockfile"
	"github.com/oras-mirror/oras-mirror/engine/shard"
)

// Forecast predicts a run, in the same numbers that its report has afterwards.
type Forecast struct {
	Artifacts []Outlook
	Distinct  int64     // bytes of all selected manifests and blobs, each counted once
	Shared    int64     // bytes that artifacts have in common, counted once for each but the first
	There     int64     // of the distinct bytes, those that are there already
	Left      int64     // bytes of blobs that a delta leaves to its base
	LeftBlobs int       // how many these are
	Near      int64     // and those that come from layouts on disk, over no network
	Parts     int       // how many manifests and blobs the distinct bytes are
	New       int       // how many of these are not there
	Transfer  int64     // bytes that will be moved: Report.Moved
	Transfers int       // blobs that will be moved
	Files     int       // of a backup in parts: how many files it writes
	Needed    int64     // of a backup: bytes of disk that its output needs at most
	Requests  int       // all that the run will make but for tokens, those that were made for the forecast included
	Waiting   []Waiting // of a backup with a quarantine: the tags that are too new, by reference
	Newest    []Newest  // of a backup: where the newest tags were selected, by repository

	Shards       []shard.Load          // of all shards, if the forecast compares them
	Repositories []lockfile.Repository // of a backup with MeasureEach
}

// State tells how a run would change one artifact in the output or the target.
type State string

const (
	StateNew       State = "new"
	StateChanged   State = "changed"
	StateUnchanged State = "unchanged"
	StateFailed    State = "failed"
)

// Outlook predicts the outcome of a run for one artifact.
type Outlook struct {
	Repository string           // in the target, with its registry; not of a backup
	Reference  config.Reference // of a backup; a restore has the name of the entry in Name
	Name       string
	Target     string // of a restore
	Mirror     string // of the registry, that answered for the reference; "" for the registry itself
	Digest     digest.Digest
	MediaType  string
	Size       int64             // bytes of its graph
	Platforms  []config.Platform // those that an index is cut down to
	Rewritten  bool              // of a restore: that index would be rewritten
	Referrers  []digest.Digest   // sorted; those with a tag of cosign's among them
	Subjects   []digest.Digest   // of a backup: what it refers to itself, sorted
	Repo       string            // URL of the Helm repository of a chart; "" for a registry and a layout
	SignedBy   []string          // the signers that a policy accepted, sorted
	From       string            // where the reference was found: config.Selection.From
	State      State
	Shard      int // its index, if the forecast compares shards
	Err        error
}

// Changes reports whether the run would change anything.
func (f *Forecast) Changes() bool {
	return slices.ContainsFunc(f.Artifacts, func(o Outlook) bool { return o.State != StateUnchanged })
}

// Lock returns the lock that pins the artifacts of a forecast. It fails if an artifact could
// not be resolved: a lock without it would pin its absence.
func (f *Forecast) Lock() (*lockfile.Lock, error) {
	lock := &lockfile.Lock{Repositories: f.Repositories}
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
		lock.Artifacts = append(lock.Artifacts, lockfile.Artifact{Reference: o.Reference, Digest: o.Digest,
			MediaType: o.MediaType, Size: o.Size, Platforms: o.Platforms, Referrers: o.Referrers, Subjects: o.Subjects, SignedBy: o.SignedBy, From: o.From, Repo: o.Repo})
	}
	for _, w := range f.Waiting {
		lock.Pending = append(lock.Pending, w.Pending)
	}
	return lock, errors.Join(errs...)
}
