package plan

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"sync"

	"github.com/opencontainers/go-digest"
	"oras.land/oras-go/v2/errdef"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/engine/internal/origin"
	"github.com/oras-mirror/oras-mirror/engine/registry"
	"github.com/oras-mirror/oras-mirror/internal/discover/chart"
)

const (
	// maxIndex bounds an index.yaml, in bytes. The largest public ones have some 20 MiB.
	maxIndex = 64 << 20
	// maxArchive bounds a .tgz: helm accepts no chart that unpacks to more.
	maxArchive = 100 << 20
	// maxProvenance bounds a .prov, which has Chart.yaml and a signature.
	maxProvenance = 1 << 20
	// maxKeptArchive and maxKeptArchives bound one .tgz, and all of them, that stay in memory
	// between their check and their copy. Others are fetched again.
	maxKeptArchive  = 1 << 20
	maxKeptArchives = 16 << 20
)

// helmSource reads Helm repositories, each index once.
type helmSource struct {
	client *registry.Client
	wanted map[string]map[string]bool // names of charts by the URL of their repository

	mu      sync.Mutex // guards what follows
	indexes map[string]*helmIndex
	charts  map[string]*helmChart // by repository, name and version
	kept    int64                 // bytes of archives
}

// helmIndex is the index of a Helm repository.
type helmIndex struct {
	once    sync.Once // guards what follows
	entries map[string][]chart.Entry
	err     error
}

func newHelm(c *registry.Client, selections []config.Selection) *helmSource {
	h := &helmSource{client: c, wanted: make(map[string]map[string]bool), indexes: make(map[string]*helmIndex), charts: make(map[string]*helmChart)}
	for _, s := range selections {
		if s.Chart == nil || s.Chart.Repository == "" {
			continue
		}
		if h.wanted[s.Chart.Repository] == nil {
			h.wanted[s.Chart.Repository] = make(map[string]bool)
		}
		h.wanted[s.Chart.Repository][s.Chart.Name] = true
	}
	return h
}

// index returns the versions of a chart.
func (h *helmSource) index(ctx context.Context, c *config.Chart) ([]chart.Entry, error) {
	h.mu.Lock()
	i := h.indexes[c.Repository]
	if i == nil {
		i = new(helmIndex)
		h.indexes[c.Repository] = i
	}
	h.mu.Unlock()
	i.once.Do(func() {
		base, err := url.Parse(c.Repository + "/")
		if err != nil {
			i.err = err
			return
		}
		i.err = h.client.ReadFile(ctx, base, base.JoinPath("index.yaml"), maxIndex, func(r io.Reader) (err error) {
			i.entries, err = chart.ReadIndex(r, h.wanted[c.Repository])
			return err
		})
	})
	if i.err == nil && len(i.entries[c.Name]) == 0 {
		return nil, fmt.Errorf("%s/index.yaml: no chart %s: %w", c.Repository, c.Name, errdef.ErrNotFound)
	}
	return i.entries[c.Name], i.err
}

// find returns the version of a chart that a constraint selects.
func (h *helmSource) find(ctx context.Context, selection config.Selection) (chart.Entry, error) {
	c := selection.Chart
	entries, err := h.index(ctx, c)
	if err != nil {
		return chart.Entry{}, err
	}
	versions := make([]string, len(entries))
	for i, e := range entries {
		versions[i] = e.Version
	}
	version := chart.Newest(c.Version, versions)
	for _, e := range entries {
		if e.Version == version && version != "" {
			return e, nil
		}
	}
	return chart.Entry{}, &engine.VersionError{Chart: selection.Reference.Name(), Constraint: c.Version, Versions: versions}
}

// open returns the origin of a version, which its tag names.
func (h *helmSource) open(selection config.Selection) *origin.Made {
	return h.chart(selection.Reference, selection.Chart).origin
}

// chart returns the chart that a reference names.
func (h *helmSource) chart(ref config.Reference, c *config.Chart) *helmChart {
	h.mu.Lock()
	defer h.mu.Unlock()
	ref.Digest = ""
	key := c.Repository + " " + ref.String()
	found := h.charts[key]
	if found == nil {
		found = &helmChart{helm: h, ref: ref, of: *c}
		found.of.Version = chart.VersionOf(ref.Tag)
		found.origin = origin.NewMade(ref, found.load, found.fetch)
		h.charts[key] = found
	}
	return found
}

// keeps reports whether an archive of a size may stay in memory, and counts it.
func (h *helmSource) keeps(size int64) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if size > maxKeptArchive || h.kept+size > maxKeptArchives {
		return false
	}
	h.kept += size
	return true
}

// helmChart is a version of a chart in a Helm repository.
type helmChart struct {
	helm   *helmSource
	ref    config.Reference // with its tag
	of     config.Chart     // with its version
	origin *origin.Made
	at     *url.URL     // of the .tgz; set by load
	found  *chart.Chart // set by load
	images error        // why found.Images are incomplete; set by load
}

// load fetches the .tgz and makes the artifact.
func (c *helmChart) load(ctx context.Context) (*origin.Artifact, error) {
	entry, err := c.helm.find(ctx, config.Selection{Reference: c.ref, Chart: &c.of})
	if err != nil {
		return nil, err
	}
	base, err := url.Parse(c.of.Repository + "/")
	if err == nil && len(entry.URLs) == 0 {
		err = fmt.Errorf("%sindex.yaml: %s %s has no urls", base, c.of.Name, entry.Version)
	}
	if err != nil {
		return nil, err
	}
	if c.at, err = base.Parse(entry.URLs[0]); err != nil || c.at.Scheme != "http" && c.at.Scheme != "https" || c.at.Host == "" {
		return nil, fmt.Errorf("%sindex.yaml: invalid URL of %s %s", base, c.of.Name, entry.Version)
	}
	a, err := c.read(ctx, base)
	if err == nil {
		err = c.check(&entry, a.digest)
	}
	if err != nil {
		return nil, err
	}
	prov, err := c.provenance(ctx, base)
	if err != nil {
		return nil, err
	}
	made, err := chart.NewArtifact(&c.found.Metadata, a.digest, a.size, prov)
	if err != nil {
		return nil, err
	}
	if int64(a.head.Len()) == a.size && c.helm.keeps(a.size) {
		made.Blobs[a.digest] = bytes.Clone(a.head.Bytes())
	}
	return &origin.Artifact{Descriptor: made.Descriptor, Manifest: made.Manifest, Blobs: made.Blobs, File: made.Archive}, nil
}

// check compares a chart with what the index says of it.
func (c *helmChart) check(entry *chart.Entry, got digest.Digest) error {
	m := c.found.Metadata
	if m.Name != c.of.Name || m.Version != entry.Version {
		return &chart.FormatError{Err: fmt.Errorf("index.yaml has %s %s, Chart.yaml has %s %s", c.of.Name, entry.Version, m.Name, m.Version)}
	}
	return entry.Check(got)
}

// archive is a .tgz that was read.
type archive struct {
	digest digest.Digest
	size   int64
	head   bytes.Buffer // its first bytes, all of a small one
}

// Write counts bytes and keeps the first ones.
func (a *archive) Write(p []byte) (int, error) {
	a.size += int64(len(p))
	a.head.Write(p[:min(len(p), maxKeptArchive+1-a.head.Len())])
	return len(p), nil
}

// read reads the .tgz and the chart in it.
func (c *helmChart) read(ctx context.Context, base *url.URL) (*archive, error) {
	var a *archive
	err := c.helm.client.ReadFile(ctx, base, c.at, maxArchive, func(r io.Reader) error {
		a = new(archive)
		hash := digest.SHA256.Digester()
		in := io.TeeReader(r, io.MultiWriter(a, hash.Hash()))
		found, err := chart.Read(in)
		if _, rest := io.Copy(io.Discard, in); rest != nil {
			return rest
		}
		a.digest = hash.Digest()
		if c.images = nil; errors.As(err, new(*chart.ImagesError)) {
			c.images, err = err, nil
		}
		c.found = found
		return err
	})
	return a, err
}

// provenance fetches the .prov beside the .tgz; nil if there is none.
func (c *helmChart) provenance(ctx context.Context, base *url.URL) ([]byte, error) {
	at := *c.at
	at.Path, at.RawPath = at.Path+".prov", ""
	var data []byte
	err := c.helm.client.ReadFile(ctx, base, &at, maxProvenance, func(r io.Reader) (err error) {
		data, err = io.ReadAll(r)
		return err
	})
	if registry.IsNoFile(err) {
		return nil, nil
	}
	if err != nil || !bytes.Contains(data, []byte("-----BEGIN PGP SIGNED MESSAGE-----")) {
		return nil, err // a page in the place of a 404
	}
	return data, nil
}

// fetch opens the .tgz again.
func (c *helmChart) fetch(ctx context.Context, _ int64) (io.ReadCloser, error) {
	base, err := url.Parse(c.of.Repository + "/")
	if err != nil {
		return nil, err
	}
	return c.helm.client.OpenFile(ctx, base, c.at)
}
