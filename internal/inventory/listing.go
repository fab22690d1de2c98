package inventory

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/internal/bounds"
	"github.com/oras-mirror/oras-mirror/internal/text"
	"github.com/oras-mirror/oras-mirror/store"
	"github.com/oras-mirror/oras-mirror/store/oci"
)

// Listing lists the artifacts of a layout in the order of its index.json. As JSON it is the
// output of "list --format json", with a header.
type Listing struct {
	Artifacts []Artifact `json:"artifacts"`
	Missing   []string   `json:"missing,omitempty"` // artifacts and referrers that the backup failed to get
	Base      []string   `json:"base,omitempty"`    // of a delta: the names of its bases, which have the other blobs

	Input  string  `json:"-"` // path of the layout, set by the caller
	Faults []error `json:"-"` // faults of index.json that do not prevent the listing
}

// Artifact is an artifact of a layout. Size is in bytes and includes all that the artifact
// refers to, and its referrers, as in a backup.
type Artifact struct {
	Reference    string           `json:"reference,omitempty"`
	Digest       digest.Digest    `json:"digest"`
	MediaType    string           `json:"mediaType"`
	ArtifactType string           `json:"artifactType,omitempty"`
	Size         int64            `json:"size"`
	Platforms    []string         `json:"platforms,omitempty"`
	Sparse       bool             `json:"sparse,omitempty"` // an index that was backed up without some of its platforms
	Referrers    []listedReferrer `json:"referrers,omitempty"`
}

// listedReferrer is a referrer of an artifact, such as a signature or an SBOM. It has a
// reference if it is under a tag of cosign.
type listedReferrer struct {
	Reference    string        `json:"reference,omitempty"`
	Digest       digest.Digest `json:"digest"`
	MediaType    string        `json:"mediaType"`
	ArtifactType string        `json:"artifactType,omitempty"`
	Subject      digest.Digest `json:"subject"`
}

// Print writes the listing as a table.
func (l *Listing) Print(w io.Writer) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "REFERENCE\tDIGEST\tSIZE\tREFERRERS\tPLATFORMS")
	for _, a := range l.Artifacts {
		name := a.Reference
		if name == "" {
			name = "-"
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%d\t%s\n", text.Printable(name), text.Printable(text.ShortDigest(a.Digest.String())),
			text.Bytes(a.Size), a.CountReferrers(), text.Printable(a.platforms()))
	}
	return table.Flush()
}

func (a *Artifact) platforms() string {
	names := strings.Join(a.Platforms, ",")
	if a.Sparse {
		names += " (sparse)"
	}
	return names
}

// catalog is the index of a layout while it is listed.
type catalog struct {
	read      func(ocispec.Descriptor) ([]byte, error) // a manifest or a config
	child     func(ocispec.Descriptor) ([]byte, error) // a child of an index; nil if it is a blob
	absent    func(ocispec.Descriptor) bool            // whether a child is not in the layout
	referrers map[digest.Digest][]*oci.Entry           // by subject
	attached  map[location][]*oci.Entry                // attached by cosign, by their subject
	roots     map[location]bool                        // the entries
	lists     map[string]bool                          // names of referrers lists, which are not artifacts
	nested    map[digest.Digest]bool                   // manifests of an index
	types     map[digest.Digest]string                 // of manifests whose entry has another one
}

// location is a manifest in a repository.
type location struct {
	repository string // REGISTRY/REPOSITORY; "" for an entry without a name
	digest     digest.Digest
}

// List lists a layout. It reads a stream to its end, where the last index.json may be.
func List(ctx context.Context, in store.Input) (*Listing, error) {
	c := &catalog{referrers: make(map[digest.Digest][]*oci.Entry), attached: make(map[location][]*oci.Entry),
		roots: make(map[location]bool), lists: make(map[string]bool), nested: make(map[digest.Digest]bool), types: make(map[digest.Digest]string)}
	switch in := in.(type) {
	case *store.Stream:
		configs, err := readConfigs(ctx, in)
		if err != nil {
			return nil, err
		}
		c.read = func(desc ocispec.Descriptor) ([]byte, error) {
			if data, ok := configs[desc.Digest]; ok {
				return data, nil
			}
			return in.Manifest(desc.Digest)
		}
		c.child, c.absent = childOf(in), absentFrom(in)
	case store.Layout:
		c.read = func(desc ocispec.Descriptor) ([]byte, error) { return store.ReadManifest(in, desc) }
		delta, _ := store.ReadDelta(in) // verify reports a damaged list
		c.child = func(desc ocispec.Descriptor) ([]byte, error) {
			data, err := store.ReadChild(in, desc)
			if errors.Is(err, fs.ErrNotExist) && delta.Leaves(desc) {
				return nil, nil
			}
			return data, err
		}
		c.absent = func(desc ocispec.Descriptor) bool {
			_, err := in.Stat(desc.Digest)
			return errors.Is(err, fs.ErrNotExist)
		}
	}
	return c.list(in.Index())
}

func (c *catalog) list(index *oci.Index) (*Listing, error) {
	if err := c.classify(index.Entries); err != nil {
		return nil, err
	}
	l := &Listing{Artifacts: []Artifact{}, Missing: engine.Missing(index), Base: index.BaseNames()}
	for _, e := range index.Entries {
		if err := e.CheckName(func() ([]byte, error) { return c.read(e.Descriptor()) }); err != nil {
			l.Faults = append(l.Faults, err)
		}
		if e.Name == "" && (c.nested[e.Digest] || c.isReferrer(e)) || c.lists[e.Name] || c.isAttached(e) {
			continue
		}
		a, err := c.artifact(e)
		if err != nil {
			return nil, err
		}
		l.Artifacts = append(l.Artifacts, a)
	}
	return l, nil
}

// classify finds the entries that are referrers or referrers lists, and their subjects.
func (c *catalog) classify(entries []oci.Entry) error {
	for i := range entries {
		e := &entries[i]
		m, err := c.manifest(oci.Node{Descriptor: e.Descriptor()})
		if err != nil {
			return err
		}
		if m.MediaType != e.MediaType {
			c.types[e.Digest] = m.MediaType
		}
		if e.Name == "" && m.Subject != nil {
			c.addReferrer(e, m.Subject.Digest)
		}
		members, isList := oci.ReferrersList(*e, c.read)
		for _, member := range members {
			c.addReferrer(listedIn(*e, member), member.Subject)
		}
		if isList {
			c.lists[e.Name] = true
		}
		for _, child := range m.Manifests {
			c.nested[child.Digest] = true
		}
		repository := repositoryOf(*e)
		c.roots[location{repository, e.Digest}] = true
		if subject, ok := e.AttachedTo(); ok {
			of := location{repository, subject}
			c.attached[of] = append(c.attached[of], e)
		}
	}
	return nil
}

// addReferrer records a referrer once: it may be in a list and an entry as well.
func (c *catalog) addReferrer(e *oci.Entry, subject digest.Digest) {
	if !slices.ContainsFunc(c.referrers[subject], func(other *oci.Entry) bool { return other.Digest == e.Digest }) {
		c.referrers[subject] = append(c.referrers[subject], e)
	}
}

// listedIn returns the entry that a referrer in a list would have as an entry of its own.
func listedIn(list oci.Entry, m oci.ListedReferrer) *oci.Entry {
	e := &oci.Entry{MediaType: m.MediaType, ArtifactType: m.ArtifactType, Digest: m.Digest, Size: m.Size}
	if repository := repositoryOf(list); repository != "" {
		e.Repositories = []string{repository}
	}
	return e
}

// repositoryOf returns REGISTRY/REPOSITORY of an entry, or "" if its name has none.
func repositoryOf(e oci.Entry) string {
	ref, _ := config.ParseEntryName(e.Name)
	return ref.Name()
}

// isAttached reports whether cosign attached an entry to an artifact of the layout; without
// its subject, the entry is an artifact itself.
func (c *catalog) isAttached(e oci.Entry) bool {
	subject, ok := e.AttachedTo()
	return ok && (c.roots[location{repositoryOf(e), subject}] || c.nested[subject])
}

func (c *catalog) isReferrer(e oci.Entry) bool {
	m, err := c.manifest(oci.Node{Descriptor: e.Descriptor()})
	return err == nil && m.Subject != nil
}

// artifact returns the artifact of an entry, from a walk over its manifests and referrers.
func (c *catalog) artifact(e oci.Entry) (Artifact, error) {
	a := Artifact{Reference: e.Name, Digest: e.Digest, MediaType: cmp.Or(c.types[e.Digest], e.MediaType), ArtifactType: e.ArtifactType, Sparse: e.Platforms != ""}
	referring := referring{catalog: c, repository: repositoryOf(e), seen: make(map[digest.Digest]bool)}
	var inside []string // platforms from configs, for an index without platforms
	t := c.newTrail(a.Sparse, func(desc ocispec.Descriptor) {
		a.Size = bounds.Sum(a.Size, desc.Size)
		names := &a.Platforms
		if desc.Platform == nil {
			names = &inside
		}
		if name := c.platform(desc); name != "" && !slices.Contains(*names, name) {
			*names = append(*names, name)
		}
		referring.to(desc)
	})
	if err := t.Walk(oci.Node{Descriptor: e.Descriptor()}); err != nil {
		return a, err
	}
	if len(a.Platforms) == 0 {
		a.Platforms = inside
	}
	t.found = func(desc ocispec.Descriptor) {
		a.Size = bounds.Sum(a.Size, desc.Size)
		referring.to(desc)
	}
	if err := referring.follow(t); err != nil {
		return a, err
	}
	a.Referrers = referring.listed()
	if e.Name == "" {
		return a, nil
	}
	t.found = func(desc ocispec.Descriptor) { a.Size = bounds.Sum(a.Size, desc.Size) }
	return a, t.walkSubjects()
}
