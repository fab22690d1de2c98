package store

import (
	"context"
	"errors"
	"fmt"

	"github.com/oras-mirror/oras-mirror/store/bucket"
	"github.com/oras-mirror/oras-mirror/store/bundle"
)

// UnconditionalError reports an object store that writes although the condition does not
// hold. Two writers would then replace each other's index.json.
type UnconditionalError struct {
	Path   string // of the layout
	Header string // of the condition: If-None-Match or If-Match
}

func (e *UnconditionalError) Error() string {
	return fmt.Sprintf("%s: the object store ignores %s, so another writer could replace index.json unnoticed", e.Path, e.Header)
}

// wrongETag is that of no object.
const wrongETag = "00000000000000000000000000000000"

// putLayoutFile creates oci-layout, and thereby checks that the store honors conditions:
// some honor one header and not the other. It asks with writes that must be refused and
// would change nothing if they were not.
func (b *Bucket) putLayoutFile(ctx context.Context) error {
	key, data := b.prefix+bundle.LayoutFile, []byte(layoutFile)
	if b.single {
		_, err := b.client.Put(ctx, key, data, bucket.Condition{})
		return err
	}
	refused, err := b.refuses(ctx, key, data, bucket.Condition{Absent: true})
	if err == nil && !refused { // it was absent, or the store took it regardless
		refused, err = b.refuses(ctx, key, data, bucket.Condition{Absent: true})
	}
	if err != nil {
		return err
	}
	if !refused {
		return &UnconditionalError{Path: b.name, Header: "If-None-Match"}
	}
	refused, err = b.refuses(ctx, key, data, bucket.Condition{ETag: wrongETag})
	if err != nil {
		return err
	}
	if !refused {
		return &UnconditionalError{Path: b.name, Header: "If-Match"}
	}
	return nil
}

// refuses writes an object and reports whether the condition was the reason not to.
func (b *Bucket) refuses(ctx context.Context, key string, data []byte, when bucket.Condition) (bool, error) {
	_, err := b.client.Put(ctx, key, data, when)
	if errors.Is(err, bucket.ErrCondition) {
		return true, nil
	}
	if errors.Is(err, bucket.ErrUnsupported) {
		return false, nil
	}
	return false, err
}
