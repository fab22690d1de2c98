package testregistry

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"strconv"
	"strings"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"oras.land/oras-go/v2/content"
	"oras.land/oras-go/v2/errdef"
	"oras.land/oras-go/v2/registry/remote"
	"oras.land/oras-go/v2/registry/remote/auth"
)

// walker walks one repository and remembers its nodes.
type walker struct {
	name  string
	repo  *remote.Repository // asks the referrers API
	tags  *remote.Repository // reads the fallback tags
	lists map[string]bool    // the fallback tags that are there
	nodes map[digest.Digest]*node
	blobs map[digest.Digest]bool // those that were hashed
}

// node is the part of the graph that one manifest adds.
type node struct {
	items     map[string]string
	children  []ocispec.Descriptor
	referrers map[string]string // their items
	followers []ocispec.Descriptor
}

func newWalker(access Access, client *auth.Client, name string) (*walker, error) {
	repo, err := access.repository(client, name)
	if err != nil {
		return nil, err
	}
	tags, err := access.repository(client, name)
	if err != nil {
		return nil, err
	}
	return &walker{
		name: name, repo: repo, tags: tags,
		lists: map[string]bool{},
		nodes: map[digest.Digest]*node{},
		blobs: map[digest.Digest]bool{},
	}, errors.Join(repo.SetReferrersCapability(true), tags.SetReferrersCapability(false))
}

// walk adds the repository's tags, and those of extra that are in it.
func (w *walker) walk(ctx context.Context, contents Contents, extra []string) error {
	var tags []string
	err := w.repo.Tags(ctx, "", func(page []string) error {
		for _, tag := range page {
			if fallback.MatchString(tag) {
				w.lists[tag] = true
			} else {
				tags = append(tags, tag)
			}
		}
		return nil
	})
	if err != nil && !errors.Is(err, errdef.ErrNotFound) {
		return err
	}
	for _, tag := range tags {
		if contents[w.name+":"+tag], err = w.root(ctx, tag); err != nil {
			return fmt.Errorf("%s: %w", tag, err)
		}
	}
	for _, name := range extra {
		if repo, d, ok := strings.Cut(name, "@"); ok && repo == w.name {
			if contents[name], err = w.root(ctx, d); err != nil {
				return fmt.Errorf("%s: %w", d, err)
			}
		}
	}
	return nil
}

func (w *walker) root(ctx context.Context, reference string) (Root, error) {
	desc, err := w.visit(ctx, reference)
	if err != nil {
		return Root{}, err
	}
	root := Root{Digest: desc.Digest, Graph: map[string]string{}, bare: map[string]string{}}
	return root, w.collect(ctx, root, desc, true)
}

// collect adds a manifest and everything below it to a root. bare is true if no referrer led
// here.
func (w *walker) collect(ctx context.Context, root Root, desc ocispec.Descriptor, bare bool) error {
	item := "manifest " + desc.Digest.String()
	if _, ok := root.bare[item]; ok {
		return nil
	}
	if _, ok := root.Graph[item]; ok && !bare {
		return nil
	}
	if w.nodes[desc.Digest] == nil {
		if _, err := w.visit(ctx, desc.Digest.String()); err != nil {
			return err
		}
	}
	n := w.nodes[desc.Digest]
	maps.Copy(root.Graph, n.items)
	maps.Copy(root.Graph, n.referrers)
	if bare {
		maps.Copy(root.bare, n.items)
	}
	for _, child := range n.children {
		err := w.collect(ctx, root, child, bare)
		if errors.Is(err, errdef.ErrNotFound) && w.nodes[child.Digest] == nil {
			err = w.blob(ctx, root, child, bare)
		}
		if err != nil {
			return err
		}
	}
	for _, follower := range n.followers {
		if err := w.collect(ctx, root, follower, false); err != nil {
			return err
		}
	}
	return nil
}

// blob adds a child of an index that is not a manifest, as in BuildKit's cache.
func (w *walker) blob(ctx context.Context, root Root, desc ocispec.Descriptor, bare bool) error {
	if err := w.hash(ctx, desc); err != nil {
		return fmt.Errorf("child %s: %w", desc.Digest, err)
	}
	item, size := "blob "+desc.Digest.String(), strconv.FormatInt(desc.Size, 10)
	root.Graph[item] = size
	if bare {
		root.bare[item] = size
	}
	return nil
}

// visit fetches a manifest, its blobs and the list of its referrers.
func (w *walker) visit(ctx context.Context, reference string) (ocispec.Descriptor, error) {
	desc, body, err := w.repo.Manifests().FetchReference(ctx, reference)
	if err != nil {
		return desc, err
	}
	defer body.Close()
	data, err := content.ReadAll(body, desc)
	if err != nil {
		return desc, fmt.Errorf("%s: %w", reference, err)
	}
	g := parseGraph(data)
	n := &node{
		items:     map[string]string{"manifest " + desc.Digest.String(): desc.MediaType},
		referrers: map[string]string{},
		children:  g.Manifests,
	}
	for _, blob := range g.blobs() {
		if err := w.hash(ctx, blob); err != nil {
			return desc, fmt.Errorf("%s: blob %s: %w", reference, blob.Digest, err)
		}
		n.items["blob "+blob.Digest.String()] = strconv.FormatInt(blob.Size, 10)
	}
	w.nodes[desc.Digest] = n
	return desc, w.follow(ctx, n, desc)
}

// hash fetches and hashes a whole blob, once.
func (w *walker) hash(ctx context.Context, desc ocispec.Descriptor) error {
	if w.blobs[desc.Digest] {
		return nil
	}
	body, err := w.repo.Blobs().Fetch(ctx, desc)
	if err != nil {
		return err
	}
	defer body.Close()
	verified := content.NewVerifyReader(body, desc)
	if _, err := io.Copy(io.Discard, verified); err != nil {
		return err
	}
	w.blobs[desc.Digest] = true
	return verified.Verify()
}

// follow records the referrers of a manifest, by the API and by the fallback tag.
func (w *walker) follow(ctx context.Context, n *node, desc ocispec.Descriptor) error {
	note := func(page []ocispec.Descriptor) error {
		for _, referrer := range page {
			item := fmt.Sprintf("referrer %s of %s", referrer.Digest, desc.Digest)
			if _, ok := n.referrers[item]; !ok {
				n.followers = append(n.followers, referrer)
			}
			n.referrers[item] = referrer.ArtifactType
		}
		return nil
	}
	err := w.repo.Referrers(ctx, desc, "", note)
	if err != nil && !errors.Is(err, errdef.ErrUnsupported) {
		return err
	}
	if !w.lists[fallbackTag(desc.Digest)] {
		return nil
	}
	return w.tags.Referrers(ctx, desc, "", note)
}
