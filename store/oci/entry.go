package oci

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/internal/compact"
	"github.com/oras-mirror/oras-mirror/internal/dockerhub"
)

// The annotations in index.json that hold the fields of an entry.
const (
	AnnotationReferrers    = "io.github.oras-mirror.referrers"
	AnnotationPlatforms    = "io.github.oras-mirror.platforms"
	AnnotationRepositories = "io.github.oras-mirror.repositories"
	AnnotationSubject      = "io.github.oras-mirror.subject"
	// AnnotationMissing lists in index.json itself the artifacts that a backup could not get
	// whole, comma-separated.
	AnnotationMissing = "io.github.oras-mirror.missing"
	// AnnotationImageName is the annotation in which containerd looks for a full reference.
	AnnotationImageName = "io.containerd.image.name"

	// AnnotationPruned of an index.json in a bucket is the mark of the last prune that removed
	// blobs: a random text, so that index.json never has an ETag again that it had before.
	AnnotationPruned = "io.github.oras-mirror.pruned"
)

// The values of Entry.Referrers.
const (
	ReferrersAll        = "all"        // every referrer of the graph is in the layout
	ReferrersNone       = "none"       // excluded on purpose
	ReferrersIncomplete = "incomplete" // some are missing
)

// Entry is a manifest that index.json lists. It is compact, since 100,000 entries are
// common: repeated strings are stored once.
type Entry struct {
	MediaType    string
	ArtifactType string
	Digest       digest.Digest
	Size         int64
	// Name is org.opencontainers.image.ref.name if that is a full reference, else
	// io.containerd.image.name, else the bare tag; empty for a referrer.
	Name string
	// Referrers says which referrers the backup included; empty in the layout of another
	// tool.
	Referrers string
	// Platforms are the platforms that a backup selected from an index, sorted, such as
	// "linux/amd64,linux/arm64"; empty means all.
	Platforms string
	// Repositories (registry/path) are the sources of a referrer, sorted; none means any
	// repository that has its subject. Do not modify.
	Repositories []string
	// Subject is the manifest that a referrer without a name refers to; empty in the layout of
	// another tool or of an earlier version, where only the manifest has it.
	Subject compact.Digest

	foreign *foreign
}

// foreign is the part of an entry that another tool wrote. It is written back unchanged.
type foreign struct {
	fields      map[string]json.RawMessage
	annotations map[string]string
}

// Descriptor returns the descriptor of the manifest.
func (e Entry) Descriptor() ocispec.Descriptor {
	return ocispec.Descriptor{
		MediaType:    e.MediaType,
		ArtifactType: e.ArtifactType,
		Digest:       e.Digest,
		Size:         e.Size,
	}
}

// IsOurs reports whether a backup of oras-mirror wrote the entry for an artifact.
func (e *Entry) IsOurs() bool { return e.Referrers != "" }

// annotate adds the annotations to write for e.
func (e *Entry) annotate(all map[string]string) {
	set := func(key, value string) {
		if value != "" {
			all[key] = value
		}
	}
	set(ocispec.AnnotationRefName, e.Name)
	if isReference(e.Name) {
		set(AnnotationImageName, e.Name)
	}
	set(AnnotationReferrers, e.Referrers)
	set(AnnotationPlatforms, e.Platforms)
	set(AnnotationRepositories, strings.Join(e.Repositories, ","))
	set(AnnotationSubject, e.Subject.Digest().String())
	if e.foreign != nil {
		maps.Copy(all, e.foreign.annotations)
	}
}

// setNames sets the name of the entry. A name that would be written differently is kept as
// an annotation too, for the tool that looks for it.
func (e *Entry) setNames(refName, imageName string) {
	e.Name = refName
	if refName == "" || !isReference(refName) && isReference(imageName) {
		e.Name = cmp.Or(sibling(imageName, refName), imageName)
	}
	if isReference(e.Name) {
		e.Name = dockerhub.Reference(e.Name)
	}
	if refName != "" && refName != e.Name {
		e.keepAnnotation(ocispec.AnnotationRefName, refName)
	}
	if imageName != "" && (imageName != e.Name || !isReference(e.Name)) {
		e.keepAnnotation(AnnotationImageName, imageName)
	}
}

// sibling returns the full reference of a name without a registry, if it is in the
// repository of image. Hauler names a signature REPOSITORY:sha256-HEX.sig, beside the full
// reference of its image.
func sibling(image, name string) string {
	host, rest, _ := strings.Cut(image, "/")
	if end := strings.IndexAny(rest, ":@"); end > 0 && strings.HasPrefix(name, rest[:end]) {
		if full := host + "/" + name; isReference(full) && strings.ContainsAny(name[end:end+1], ":@") {
			return full
		}
	}
	return ""
}

// CheckName returns a *NameError if the name of an entry has a digest that is not that of
// its manifest. It calls read for the manifest if the digests have different algorithms;
// an error of read is ignored here.
func (e Entry) CheckName(read func() ([]byte, error)) error {
	_, text, _ := strings.Cut(e.Name, "@")
	named := digest.Digest(text)
	if text == "" || named == e.Digest || named.Validate() != nil {
		return nil
	}
	wrong := &NameError{Name: e.Name, Digest: e.Digest}
	if named.Algorithm() == e.Digest.Algorithm() {
		return wrong
	}
	if data, err := read(); err != nil || named.Algorithm().FromBytes(data) == named {
		return nil
	}
	return wrong
}

func (e *Entry) keepAnnotation(key, value string) {
	if e.foreign == nil {
		e.foreign = new(foreign)
	}
	if e.foreign.annotations == nil {
		e.foreign.annotations = make(map[string]string)
	}
	e.foreign.annotations[key] = value
}

func (e *Entry) keepField(key string, value json.RawMessage) {
	if e.foreign == nil {
		e.foreign = new(foreign)
	}
	if e.foreign.fields == nil {
		e.foreign.fields = make(map[string]json.RawMessage)
	}
	e.foreign.fields[key] = value
}

// sortedSet returns the distinct words, sorted, without empty ones.
func sortedSet(words []string) []string {
	set := slices.DeleteFunc(slices.Clone(words), func(w string) bool { return w == "" })
	slices.Sort(set)
	return slices.Clip(slices.Compact(set))
}

// isReference reports whether a name is a full reference: a host, a path, and a tag or a
// digest. It is called for 100,000 names, so it avoids regular expressions.
func isReference(name string) bool {
	host, rest, ok := strings.Cut(name, "/")
	if !ok || host != "localhost" && !strings.ContainsAny(host, ".:") {
		return false
	}
	if path, d, ok := strings.Cut(rest, "@"); ok {
		return path != "" && digest.Digest(d).Validate() == nil
	}
	path, tag, ok := strings.Cut(rest, ":")
	return ok && path != "" && tag != "" && !strings.ContainsAny(tag, "/:")
}

// NameError reports an entry whose name has a digest that is not that of its manifest.
type NameError struct {
	Name   string
	Digest digest.Digest // of the manifest
}

func (e *NameError) Error() string {
	return fmt.Sprintf("%s: its manifest has the digest %s", e.Name, e.Digest)
}
