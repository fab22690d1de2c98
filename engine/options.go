package engine

import (
	"time"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/engine/shard"
	"github.com/oras-mirror/oras-mirror/store"
)

// BackupOptions are the choices of a backup. The zero value works.
type BackupOptions struct {
	Concurrency int              // requests in flight; 0 means 16
	Buffer      int64            // bytes of memory for blobs fetched ahead; 0 means 128 MiB
	Progress    Progress         // nil: Silent
	Mapper      *config.Mapper   // checks that no two sources map to one target; nil: unchecked
	Previous    store.Layout     // a bundle that is about to be replaced: its blobs need no network; may be nil
	Base        Base             // the blobs that it has are left out; nil: the output is no delta
	OpenLayout  OpenLayout       // opens the layouts of sources; nil: those at a path on disk
	FailFast    bool             // the first artifact that fails ends the run
	Now         func() time.Time // nil: time.Now
	Shard       *shard.Shard     // the part of the plan to copy; nil: all of it
	Trust       Trust            // the policies for signatures; nil: none are needed
	MeasureEach bool             // a forecast has the size of each repository
	Quarantine  *Quarantine      // keeps out tags that are too new, of selections with a minAge; nil: takes all

	// Only selects among the artifacts of a layout on disk, which a selection takes as a
	// whole; nil: all.
	Only func(layout, reference string) bool
}

// WithDefaults returns the options with the defaults in the place of zero values.
func (o BackupOptions) WithDefaults() BackupOptions {
	setDefaults(&o.Concurrency, &o.Buffer, &o.Progress, &o.Now)
	return o
}

// setDefaults replaces the zero values of the options that every run has.
func setDefaults(concurrency *int, buffer *int64, progress *Progress, now *func() time.Time) {
	if *concurrency <= 0 {
		*concurrency = defaultConcurrency
	}
	if *buffer <= 0 {
		*buffer = defaultBuffer
	}
	if *progress == nil {
		*progress = Silent{}
	}
	if *now == nil {
		*now = time.Now
	}
}

// RestoreOptions are the choices of a restore. Targets is mandatory.
type RestoreOptions struct {
	Concurrency      int              // requests in flight; 0 means 16
	Buffer           int64            // bytes of memory for blobs that come from a pipe; 0 means 128 MiB
	Progress         Progress         // nil: Silent
	Targets          []config.Target  // where to; each gets everything
	Mapper           *config.Mapper   // nil: the registry goes, the path stays
	Only             []string         // patterns of references; none: everything
	ExcludeReferrers bool             // artifacts are pushed without their referrers
	FailFast         bool             // the first artifact that fails ends the run
	DryRun           bool             // nothing is pushed; the report tells where each artifact would go and what it would overwrite
	Verify           bool             // everything that was pushed is read back: tags, manifests, blobs, lists of referrers
	Tag              string           // names the only artifact of the input if it has no name; "": it stays without
	Shard            *shard.Shard     // the part of the plan to restore; nil: all of it
	Trust            Trust            // the policies for signatures; nil: none are needed
	TempDir          string           // keeps large blobs of a pipe until they are taken; "": they can be sent once only
	Now              func() time.Time // nil: time.Now

	// Retry selects artifacts by source and target reference; nil: all.
	Retry func(reference, target string) bool
}

// WithDefaults returns the options with the defaults in the place of zero values.
func (o RestoreOptions) WithDefaults() (RestoreOptions, error) {
	setDefaults(&o.Concurrency, &o.Buffer, &o.Progress, &o.Now)
	var err error
	if o.Mapper == nil {
		o.Mapper, err = config.NewMapper(nil)
	}
	return o, err
}

// SyncOptions are the choices of a sync: those of a restore, without Only, Tag and TempDir,
// and one of its plan. Targets is mandatory.
type SyncOptions struct {
	RestoreOptions
	OpenLayout OpenLayout // opens the layouts of sources; nil: those at a path on disk

	// Among selects artifacts of a layout on disk, which a selection takes as a whole; nil:
	// all.
	Among func(layout, reference string) bool
}

// WithDefaults returns the options with the defaults in the place of zero values.
func (o SyncOptions) WithDefaults() (SyncOptions, error) {
	var err error
	o.RestoreOptions, err = o.RestoreOptions.WithDefaults()
	return o, err
}

// LeastBuffer is the share of the buffer for content on its way, however much is planned.
const LeastBuffer = 8 << 20

const (
	// defaultConcurrency is the number of requests in flight over all registries.
	// At 20 ms a request sixteen of them bring 800 small artifacts a second, and
	// no public registry has been seen to object.
	defaultConcurrency = 16

	// defaultBuffer is the memory for blobs that are ahead of a writer.
	defaultBuffer = 128 << 20
)
