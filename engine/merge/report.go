package merge

import (
	"slices"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/store"
	"github.com/oras-mirror/oras-mirror/store/delta"
	"github.com/oras-mirror/oras-mirror/store/oci"
)

// index returns the index.json of the artifacts that are whole, as far as is known.
func (m *merge) index() *oci.Index {
	all := m.in.Index()
	if len(m.broken) == 0 {
		return all
	}
	whole := new(oci.Index)
	whole.PutAll(all, func(e oci.Entry) bool { return !m.isBroken(e) })
	m.markReferrers(whole)
	var missing []string
	for name := range m.broken {
		missing = append(missing, name)
	}
	slices.Sort(missing)
	engine.MarkMissing(whole, missing)
	return whole
}

// markReferrers marks the artifacts that lack a referrer now.
func (m *merge) markReferrers(whole *oci.Index) {
	subjects := make(map[digest.Digest]bool)
	for _, e := range m.in.Index().Entries {
		if s := m.plan.Subject(e); s != "" && m.isBroken(e) {
			subjects[s] = true
		}
	}
	if len(subjects) == 0 {
		return
	}
	for i := range whole.Entries {
		if e := &whole.Entries[i]; e.Referrers == oci.ReferrersAll && m.plan.Reaches(*e, subjects) {
			e.Referrers = oci.ReferrersIncomplete
		}
	}
}

// eachList calls put for the lists of a delta whose base is absent, which stays a delta.
func (m *merge) eachList(put func(ocispec.Descriptor, []byte) error) error {
	for _, d := range m.in.Index().DeltaLists() {
		size, err := m.in.Stat(d)
		if err != nil {
			return &delta.Error{List: d, Err: err}
		}
		desc := ocispec.Descriptor{MediaType: delta.MediaType, Digest: d, Size: size}
		data, err := store.ReadManifest(m.in, desc)
		if err != nil {
			return &delta.Error{List: d, Err: err}
		}
		if err := put(desc, data); err != nil {
			return written(err)
		}
	}
	return nil
}

// report lists the artifacts with a name, and whatever is not whole.
func (m *merge) report() *engine.Report {
	r := &engine.Report{Planned: m.plan != nil, Moved: m.moved.Load(), Duration: m.Now().Sub(m.began), Output: m.output, Incomplete: m.aside}
	for _, e := range m.in.Index().Entries {
		err := m.broken[nameOf(e)]
		if e.Name == "" {
			r.Expected++
		}
		if e.Name == "" && err == nil {
			if !m.left[nameOf(e)] {
				r.Referrers++
			}
			continue
		}
		if err == nil && !m.done {
			err = engine.ErrUnfinished
		}
		r.Artifacts = append(r.Artifacts, engine.ArtifactReport{Reference: nameOf(e), Digest: e.Digest, Bytes: e.Size, Err: err})
	}
	return r
}
