package inventory

import (
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
)

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
			text.Bytes(a.Size), a.Count(), text.Printable(a.platforms()))
	}
	return table.Flush()
}

func (a *Artifact) platforms() string {
	text := strings.Join(a.Platforms, ",")
	if a.Sparse {
		text += " (sparse)"
	}
	return text
}

// Listing is what "list --format json" prints: every artifact of a layout, in
// the order of its index.json.
type Listing struct {
	Artifacts []Artifact `json:"artifacts"`
	Missing   []string   `json:"missing,omitempty"` // what the backup could not get

	Input  string  `json:"-"` // the path that was listed
	Faults []error `json:"-"` // what is wrong with the index alone
}

// Artifact is one artifact. Size is that of its graph in bytes, its referrers among
// it, as a backup counts them.
type Artifact struct {
	Reference    string           `json:"reference,omitempty"`
	Digest       digest.Digest    `json:"digest"`
	MediaType    string           `json:"mediaType"`
	ArtifactType string           `json:"artifactType,omitempty"`
	Size         int64            `json:"size"`
	Platforms    []string         `json:"platforms,omitempty"`
	Sparse       bool             `json:"sparse,omitempty"` // an index without all of its platforms, on purpose
	Referrers    []listedReferrer `json:"referrers,omitempty"`
}

// listedReferrer is a signature, an SBOM or the like. It has a reference if cosign
// keeps it under a tag.
type listedReferrer struct {
	Reference    string        `json:"reference,omitempty"`
	Digest       digest.Digest `json:"digest"`
	MediaType    string        `json:"mediaType"`
	ArtifactType string        `json:"artifactType,omitempty"`
	Subject      digest.Digest `json:"subject"`
}

// catalog reads what a listing needs to know.
type catalog struct {
	read      func(ocispec.Descriptor) ([]byte, error) // a manifest or a config
	child     func(ocispec.Descriptor) ([]byte, error) // what an index names; nil where that is a blob
	absent    func(ocispec.Descriptor) bool            // it is a child that is not there
	referrers map[digest.Digest][]store.Entry          // by their subject
	attached  map[string][]store.Entry                 // by REPOSITORY@DIGEST of theirs
	roots     map[string]bool                          // REPOSITORY@DIGEST of what has a name
	lists     map[string]bool                          // names of lists of referrers, which are no artifacts
	nested    map[digest.Digest]bool                   // manifests of an index that has a name
	types     map[digest.Digest]string                 // media types of the entries' manifests
}

// List lists a layout. Of a stream it takes in the whole, since the last
// index.json may be at its end.
func List(ctx context.Context, in store.Input) (*Listing, error) {
	c := &catalog{referrers: make(map[digest.Digest][]store.Entry), attached: make(map[string][]store.Entry),
		roots: make(map[string]bool), lists: make(map[string]bool), nested: make(map[digest.Digest]bool), types: make(map[digest.Digest]string)}
	switch in := in.(type) {
	case *store.Stream:
		configs, err := passing(ctx, in)
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
		c.child = func(desc ocispec.Descriptor) ([]byte, error) { return store.ReadChild(in, desc) }
		c.absent = func(desc ocispec.Descriptor) bool {
			_, err := in.Stat(desc.Digest)
			return errors.Is(err, fs.ErrNotExist)
		}
	}
	return c.list(in.Index())
}

func (c *catalog) list(index *store.Index) (*Listing, error) {
	if err := c.sort(index.Entries); err != nil {
		return nil, err
	}
	l := &Listing{Artifacts: []Artifact{}, Missing: engine.Missing(index)}
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

// sort finds out which entries are referrers or lists of them, and of what.
func (c *catalog) sort(entries []store.Entry) error {
	for _, e := range entries {
		m, err := c.manifest(store.Node{Descriptor: e.Descriptor()})
		if err != nil {
			return err
		}
		c.types[e.Digest] = m.MediaType
		if e.Name == "" && m.Subject != nil {
			c.refers(e, m.Subject.Digest)
		}
		members, isList := store.ReferrersList(e, c.read)
		for _, member := range members {
			c.refers(listedIn(e, member), member.Subject)
		}
		c.lists[e.Name] = isList
		for _, child := range m.Manifests {
			c.nested[child.Digest] = true
		}
		c.roots[repositoryOf(e)+"@"+e.Digest.String()] = true
		if subject, ok := e.AttachedTo(); ok {
			key := repositoryOf(e) + "@" + subject.String()
			c.attached[key] = append(c.attached[key], e)
		}
	}
	return nil
}

// refers notes a referrer, which may stand in a list and beside it.
func (c *catalog) refers(e store.Entry, subject digest.Digest) {
	if !slices.ContainsFunc(c.referrers[subject], func(other store.Entry) bool { return other.Digest == e.Digest }) {
		c.referrers[subject] = append(c.referrers[subject], e)
	}
}

// listedIn is a referrer as an entry of its own would have it, beside the list that
// names it.
func listedIn(list store.Entry, m store.ListedReferrer) store.Entry {
	e := store.Entry{MediaType: m.MediaType, ArtifactType: m.ArtifactType, Digest: m.Digest, Size: m.Size}
	if repository := repositoryOf(list); repository != "" {
		e.Repositories = []string{repository}
	}
	return e
}

// repositoryOf returns REGISTRY/REPOSITORY of an entry, "" where its name has none.
func repositoryOf(e store.Entry) string {
	ref, _ := config.ParseEntryName(e.Name)
	return ref.Name()
}

// isAttached reports whether cosign attached an entry to an artifact that is there; an
// entry without its subject is an artifact of its own.
func (c *catalog) isAttached(e store.Entry) bool {
	subject, ok := e.AttachedTo()
	return ok && (c.roots[repositoryOf(e)+"@"+subject.String()] || c.nested[subject])
}

func (c *catalog) isReferrer(e store.Entry) bool {
	m, err := c.manifest(store.Node{Descriptor: e.Descriptor()})
	return err == nil && m.Subject != nil
}

// artifact walks the graph of an entry.
func (c *catalog) artifact(e store.Entry) (Artifact, error) {
	a := Artifact{Reference: e.Name, Digest: e.Digest, MediaType: c.types[e.Digest], ArtifactType: e.ArtifactType, Sparse: e.Platforms != ""}
	referring := referring{catalog: c, repository: repositoryOf(e), seen: make(map[digest.Digest]bool)}
	var inside []string // what configs say, for an index that says nothing
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
	if err := t.Walk(store.Node{Descriptor: e.Descriptor()}); err != nil {
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
