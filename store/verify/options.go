package verify

import (
	"io"

	"github.com/opencontainers/go-digest"
)

// Options configure a verification. The zero value works.
type Options struct {
	Jobs     int           // blobs hashed concurrently; 0 means one per core
	Progress func(n int64) // called concurrently with the number of bytes read; may be nil

	// Artifact is called with the name of each artifact, or the digest of one without a name,
	// its digest, and a function that walks its graph once more for its size, in the order of
	// index.json; may be nil.
	Artifact func(reference string, root digest.Digest, size func() int64)

	// Take is offered each blob of a stream, and returns the bytes of one that it has read, else
	// nil; may be nil.
	Take func(d digest.Digest, size int64, r io.Reader) ([]byte, error)
}

// Result counts what was verified, and lists what is wrong.
type Result struct {
	Artifacts int   // entries of index.json, without referrers
	Referrers int   // entries with a subject and no name, members of lists of referrers, and attachments of cosign
	Blobs     int   // distinct blobs that index.json references, including manifests
	Bytes     int64 // of these
	LeftOver  int   // blobs that it does not reference; no fault
	// Left is the number of the blobs that a delta leaves to its base, which are no faults, and
	// LeftBytes their bytes; Base names it. Blobs and Bytes do not include them.
	Left      int
	LeftBytes int64
	Base      string
	// Faults are in the order of index.json, once for each entry that they affect.
	Faults []Fault
}
