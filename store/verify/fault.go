package verify

import (
	"fmt"
	"io/fs"

	"github.com/opencontainers/go-digest"
)

// Fault reports what is wrong with an entry of index.json.
type Fault struct {
	Reference string        // the entry's name; its digest if it has none
	Digest    digest.Digest // the blob at fault
	Err       error         // an *oci.MismatchError, a *MissingError, a *SubjectError, an *oci.NameError, ...
}

// MissingError reports an absent blob.
type MissingError struct{}

func (*MissingError) Error() string { return "missing" }

// Is makes errors.Is(err, fs.ErrNotExist) true.
func (*MissingError) Is(target error) bool { return target == fs.ErrNotExist }

// SubjectError reports a referrer whose subject is not in the layout.
type SubjectError struct{ Subject digest.Digest }

func (e *SubjectError) Error() string {
	return "refers to " + string(e.Subject) + ", which is not in the layout"
}

// SizesError says that manifests name a blob, which a delta leaves to its base, with different
// sizes. At most one is right.
type SizesError struct{ One, Other int64 }

func (e *SizesError) Error() string {
	return fmt.Sprintf("has %d bytes in one manifest, and %d in another", min(e.One, e.Other), max(e.One, e.Other))
}
