// Package statement writes an in-toto Statement about the content of a layout, and holds a
// layout against one. A signature of the statement covers every byte: it has the digests of the
// files, of index.json and of each root, and these have the digests of everything else.
package statement

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash"
	"slices"
	"strings"

	"github.com/opencontainers/go-digest"

	"github.com/oras-mirror/oras-mirror/internal/compact"
	"github.com/oras-mirror/oras-mirror/store/oci"
)

// The types in a statement: of in-toto, version 1, and of our predicate, which docs/trust.md
// describes.
const (
	Type          = "https://in-toto.io/Statement/v1"
	PredicateType = "https://github.com/oras-mirror/oras-mirror/statement/v1"
)

// indexName is the name of the subject that has the digest of index.json.
const indexName = "index.json"

// Content is the content of a layout as a statement has it.
type Content struct {
	Version   string
	Lock      *Lock // that has exactly these artifacts; nil if none is known to
	Files     []File
	Index     digest.Digest // of index.json as oras-mirror writes it
	Artifacts []Artifact    // sorted by reference
	Referrers []Referrer    // sorted by digest
}

// Lock is a lock of a mirror spec.
type Lock struct {
	Name   string        `json:"name"` // without its folder
	Digest digest.Digest `json:"digest"`
}

// File is a file of the layout, such as an archive or a part of one.
type File struct {
	Name   string        `json:"name"` // without its folder
	Digest digest.Digest `json:"digest"`
	Size   int64         `json:"size"`
}

// Artifact is a root with a name.
type Artifact struct {
	Reference string        `json:"reference"`
	Digest    digest.Digest `json:"digest"`
	MediaType string        `json:"mediaType"`
	Platforms []string      `json:"platforms,omitempty"` // nil means all
	SignedBy  []string      `json:"signedBy,omitempty"`  // the signers that a policy accepted, sorted; nil if no policy asked
}

// Referrer is a root without a name, such as a signature.
type Referrer struct {
	Digest       digest.Digest  `json:"digest"`
	MediaType    string         `json:"mediaType"`
	ArtifactType string         `json:"artifactType,omitempty"`
	Subject      compact.Digest `json:"subject,omitempty"`
}

// Of returns the content of a layout by its index.json. The caller adds files and signers.
func Of(x *oci.Index) (*Content, error) {
	c := new(Content)
	sum := sha256.New()
	if _, err := x.WriteTo(sum); err != nil {
		return nil, err
	}
	c.Index = digest.NewDigest(digest.SHA256, sum)
	c.addRoots(x.Entries)
	c.sort()
	return c, nil
}

// addRoots adds the entries of an index.json. It counts them first: lists that grow leave
// behind as much memory again.
func (c *Content) addRoots(all []oci.Entry) {
	named := 0
	for i := range all {
		if all[i].Name != "" {
			named++
		}
	}
	c.Artifacts = slices.Grow(c.Artifacts, named)
	c.Referrers = slices.Grow(c.Referrers, len(all)-named)
	for i := range all {
		if e := &all[i]; e.Name != "" {
			c.Artifacts = append(c.Artifacts, Artifact{Reference: e.Name, Digest: e.Digest, MediaType: e.MediaType, Platforms: platformsOf(e)})
		} else {
			c.Referrers = append(c.Referrers, Referrer{Digest: e.Digest, MediaType: e.MediaType, ArtifactType: e.ArtifactType, Subject: e.Subject})
		}
	}
}

func (c *Content) sort() {
	slices.SortFunc(c.Artifacts, func(a, b Artifact) int {
		return cmp.Or(strings.Compare(a.Reference, b.Reference), cmp.Compare(a.Digest, b.Digest))
	})
	slices.SortFunc(c.Referrers, func(a, b Referrer) int { return cmp.Compare(a.Digest, b.Digest) })
}

// SetSigners states who signed an artifact. A reference that is no artifact is ignored: the
// signers of a referrer are those of its subject.
func (c *Content) SetSigners(reference string, signers []string) {
	if a := c.artifact(reference); a != nil {
		a.SignedBy = signers
	}
}

// artifact returns the artifact with a reference; nil if there is none.
func (c *Content) artifact(reference string) *Artifact {
	at, found := slices.BinarySearchFunc(c.Artifacts, reference, func(a Artifact, name string) int { return strings.Compare(a.Reference, name) })
	if !found {
		return nil
	}
	return &c.Artifacts[at]
}

// HasSigners reports whether it states who signed any artifact.
func (c *Content) HasSigners() bool {
	return slices.ContainsFunc(c.Artifacts, func(a Artifact) bool { return len(a.SignedBy) > 0 })
}

// platformsOf returns the selected platforms of an entry; nil for all.
func platformsOf(e *oci.Entry) []string {
	if e.Platforms == "" {
		return nil
	}
	return strings.Split(e.Platforms, ",")
}

// subject is a subject of a statement.
type subject struct {
	Name   string    `json:"name"`
	Digest digestSet `json:"digest"`
}

// subjects calls found for each subject, in the order of the statement.
func (c *Content) subjects(found func(subject) error) error {
	for _, f := range c.Files {
		if err := found(subject{f.Name, digestSet(f.Digest)}); err != nil {
			return err
		}
	}
	if err := found(subject{indexName, digestSet(c.Index)}); err != nil {
		return err
	}
	for _, a := range c.Artifacts {
		if err := found(subject{a.Reference, digestSet(a.Digest)}); err != nil {
			return err
		}
	}
	for _, r := range c.Referrers {
		if err := found(subject{string(r.Digest), digestSet(r.Digest)}); err != nil {
			return err
		}
	}
	return nil
}

// digestSet is a digest in the form of in-toto: {"sha256": HEX}.
type digestSet digest.Digest

// MarshalJSON writes the one digest of the set.
func (d digestSet) MarshalJSON() ([]byte, error) {
	algorithm, text, _ := strings.Cut(string(d), ":")
	return json.Marshal(map[string]string{algorithm: text})
}

// UnmarshalJSON reads a set of one digest.
func (d *digestSet) UnmarshalJSON(data []byte) error {
	var set map[string]string
	if err := json.Unmarshal(data, &set); err != nil {
		return err
	}
	if len(set) != 1 {
		return fmt.Errorf("%d digests of a subject, want one", len(set))
	}
	for algorithm, text := range set {
		*d = digestSet(algorithm + ":" + text)
	}
	return digest.Digest(*d).Validate()
}

// trail sums up subjects in order, so that two lists can be compared without keeping both.
type trail struct{ hash.Hash }

func newTrail() trail { return trail{sha256.New()} }

func (t trail) add(s subject) error {
	_, err := fmt.Fprintf(t, "%q %q\n", s.Name, s.Digest)
	return err
}

func (t trail) sum() string { return hex.EncodeToString(t.Sum(nil)) }
