// Package merge copies the artifacts of a layout, most often a union of several, into a new
// archive or directory. No registry is asked. A blob is verified while it is copied; where
// several inputs have it, a damaged copy is replaced by the next one. An artifact that no
// input has whole is left out, and is in the report.
//
// The manifests have the order of the last archive among the inputs, and the blobs that of
// their first use. So a base and its deltas, as archives, give byte for byte the bundle that a
// backup of the whole plan writes.
package merge

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/internal/compact"
	"github.com/oras-mirror/oras-mirror/store"
	"github.com/oras-mirror/oras-mirror/store/oci"
	"github.com/oras-mirror/oras-mirror/store/verify"
)

// Options are the choices of a merge. The zero value works.
type Options struct {
	Concurrency int              // blobs that are copied into a directory at a time; 0 means 16
	Progress    engine.Progress  // nil: engine.Silent
	Now         func() time.Time // nil: time.Now
}

// Run copies the artifacts of a layout into out and commits it. The error is for the run as a
// whole: it was interrupted, the output cannot be written or has other artifacts, or
// [engine.ErrNothing]. An artifact that is not whole is in the report.
func Run(ctx context.Context, in store.Layout, out store.Destination, o Options) (*engine.Report, error) {
	if o.Concurrency <= 0 {
		o.Concurrency = 16
	}
	if o.Progress == nil {
		o.Progress = engine.Silent{}
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	m := &merge{Options: o, in: in, began: o.Now(), output: out.Path()}
	var write func(context.Context) error
	switch out := out.(type) {
	case *store.Dir:
		write = func(ctx context.Context) error { return writeLayout(ctx, m, out) }
	case *store.Bucket:
		write = func(ctx context.Context) error { return writeLayout(ctx, m, out) }
	case *store.Archive:
		write = (&archive{merge: m, out: out}).write
	default:
		return &engine.Report{}, fmt.Errorf("unknown kind of output %T", out)
	}
	err := m.survey(ctx)
	if err == nil {
		err = write(ctx)
	}
	return m.report(), err
}

// merge is one run.
type merge struct {
	Options
	in     store.Layout
	plan   *verify.Survey
	broken map[string]error // artifacts that are not whole, by name; without a name by digest
	left   map[string]bool  // referrers of these, by digest
	moved  atomic.Int64     // bytes that were copied
	began  time.Time
	output string
	aside  bool // the output stands beside the one that it would have replaced
	done   bool // it is committed
}

// survey finds out what there is to copy.
func (m *merge) survey(ctx context.Context) (err error) {
	if err := store.CheckBases(m.in); err != nil {
		return err
	}
	if len(m.in.Index().Entries) == 0 {
		return engine.ErrNoArtifact
	}
	if m.plan, err = store.NewSurvey(ctx, m.in); err != nil {
		return err
	}
	if err := m.findBroken(); err != nil {
		return err
	}
	if len(m.broken) > 0 {
		m.plan.Without(m.isBroken)
	}
	m.Progress.Listed(len(m.in.Index().Entries))
	return nil
}

// findBroken notes which artifacts are not whole, as far as is known.
func (m *merge) findBroken() error {
	faults, err := m.plan.Faults()
	if err != nil {
		return err
	}
	m.broken, m.left = make(map[string]error, len(faults)), nil
	for _, f := range faults {
		m.broken[f.Reference] = &engine.CorruptError{Err: reason(f)}
	}
	if len(m.broken) == 0 {
		return nil
	}
	m.left = make(map[string]bool)
	for _, e := range m.plan.Orphans(m.isBroken) {
		m.left[nameOf(e)] = true
	}
	if !slices.ContainsFunc(m.in.Index().Entries, func(e oci.Entry) bool { return !m.isBroken(e) }) {
		return engine.ErrNothing
	}
	return nil
}

// reason names the manifest or the blob of a fault.
func reason(f verify.Fault) error {
	if lacking, ok := errors.AsType[*store.LackingPartsError](f.Err); ok {
		return lacking
	}
	switch text := f.Err.Error(); {
	case errors.Is(f.Err, fs.ErrNotExist):
		return &engine.MissingBlobError{Blob: f.Digest.String()}
	case !strings.Contains(text, f.Digest.String()):
		return fmt.Errorf("%s: %w", f.Digest, f.Err)
	}
	return f.Err
}

// nameOf returns the name of an entry in reports.
func nameOf(e oci.Entry) string {
	if e.Name == "" {
		return e.Digest.String()
	}
	return e.Name
}

// isBroken reports whether an entry is left out.
func (m *merge) isBroken(e oci.Entry) bool {
	return m.broken[nameOf(e)] != nil || m.left[nameOf(e)]
}

// eachManifest calls put for the manifests in their order, and then for the lists of a delta.
// It returns the other blobs in the order of their first use.
func (m *merge) eachManifest(ctx context.Context, put func(ocispec.Descriptor, []byte) error) (blobs []blob, err error) {
	for desc := range m.plan.Manifests() {
		if err := context.Cause(ctx); err != nil {
			return nil, err
		}
		data, err := store.ReadManifest(m.in, desc)
		if err != nil { // it could be read before
			m.plan.Blame(desc, err)
			continue
		}
		for _, b := range m.plan.BlobsOf(desc, data) {
			blobs = append(blobs, blob{compact.Of(b.Digest), b.Size})
			m.Progress.Expect(b.Size)
		}
		if err := put(desc, data); err != nil {
			return nil, written(err)
		}
	}
	return blobs, m.eachList(put)
}

// blob is a blob to copy, in little memory.
type blob struct {
	digest compact.Digest
	size   int64
}

func (b blob) descriptor() ocispec.Descriptor {
	return ocispec.Descriptor{Digest: b.digest.Digest(), Size: b.size}
}

// written marks an error of the output.
func written(err error) error {
	if err == nil {
		return nil
	}
	return &engine.WriteError{Err: err}
}
