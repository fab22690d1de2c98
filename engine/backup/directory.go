package backup

import (
	"sync"
	"time"

	"github.com/opencontainers/go-digest"

	"github.com/oras-mirror/oras-mirror/engine/fetch"
	"github.com/oras-mirror/oras-mirror/engine/internal/graph"
	"github.com/oras-mirror/oras-mirror/engine/internal/pool"
	"github.com/oras-mirror/oras-mirror/store/delta"
)

// commitInterval bounds the time until a whole artifact is in index.json. A run that is killed
// loses the entries since the last commit, but no blobs: the next run finds them.
const commitInterval = 5 * time.Minute

// largeBlob is the size from which several connections bring a blob: one alone
// measured 20 MiB/s where four brought 72.
const largeBlob = 64 << 20

// directory backs up into a layout at random: manifests are stored as they
// come, blobs begin as soon as a manifest names them, and an artifact enters
// index.json when the last of its blobs is there.
type directory struct {
	*backup
	out  randomOutput
	pool *pool.Pool

	memory func() *fetch.Budget // of the windows of large blobs, made for the first

	mu         sync.Mutex // guards the index and the jobs
	lastCommit time.Time
	whole      int
	planned    bool              // every origin of each blob is known
	later      []attempt         // until then: blobs that failed
	added      map[entryKey]bool // entries that this run has put
	held       []digest.Digest   // of a delta: blobs that no list has yet
	delta      *delta.Delta      // the output so far; nil: it is no delta yet
}

// entryKey identifies an entry of index.json.
type entryKey struct {
	name   string
	digest digest.Digest
}

// attempt is a blob that failed before the plan was complete: another origin may turn out to
// have it.
type attempt struct {
	*graph.Blob
	name    string // of the artifact that needed it first
	origins int    // that were known when it was tried
	err     error
}
