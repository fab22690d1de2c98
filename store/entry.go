package store

import (
	"cmp"
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/internal/dockerhub"
)

// The annotations of index.json that carry an entry's fields.
const (
	AnnotationReferrers    = "io.github.oras-mirror.referrers"
	AnnotationPlatforms    = "io.github.oras-mirror.platforms"
	AnnotationRepositories = "io.github.oras-mirror.repositories"
	// AnnotationImageName is where containerd looks for a full reference.
	AnnotationImageName = "io.containerd.image.name"
)

// What Entry.Referrers says of the run that wrote it.
const (
	ReferrersAll        = "all"        // every referrer of the graph is in the layout
	ReferrersNone       = "none"       // they were left out on purpose
	ReferrersIncomplete = "incomplete" // some could not be had
)

// Entry is one manifest that index.json lists. It is compact, since 100,000 of
// them are ordinary: words that come again are stored once.
type Entry struct {
	MediaType    string
	ArtifactType string
	Digest       digest.Digest
	Size         int64
	// Name is what the entry is called: org.opencontainers.image.ref.name if
	// that is a full reference, else io.containerd.image.name, else the bare
	// tag; empty for a referrer.
	Name string
	// Referrers is the selection of the run that wrote the entry; empty in a
	// foreign layout.
	Referrers string
	// Platforms are those that an index was cut down to, sorted, as in
	// "linux/amd64,linux/arm64"; empty means all.
	Platforms string
	// Repositories are those (registry/path) that a referrer came from, sorted;
	// none means wherever its subject goes. Not to be modified.
	Repositories []string

	foreign *foreign
}

// foreign is what another tool wrote into an entry; it is written again as it
// was.
type foreign struct {
	fields      map[string]json.RawMessage
	annotations map[string]string
}

// Descriptor returns what is needed to fetch, push or compare the manifest.
func (e Entry) Descriptor() ocispec.Descriptor {
	return ocispec.Descriptor{
		MediaType:    e.MediaType,
		ArtifactType: e.ArtifactType,
		Digest:       e.Digest,
		Size:         e.Size,
	}
}

// isOurs says that a backup of ours wrote the entry for an artifact.
func (e *Entry) isOurs() bool { return e.Referrers != "" }

// annotations returns what is written for e.
func (e *Entry) annotations() map[string]string {
	all := make(map[string]string, 4)
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
	if e.foreign != nil {
		maps.Copy(all, e.foreign.annotations)
	}
	return all
}

// setNames decides what e is called. A name that would not be written as it
// was found is kept beside it, for the tool that looks for it.
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

// sibling returns the full reference of a name without a registry, where it is of the
// repository of that image. Hauler names a signature so, REPOSITORY:sha256-HEX.sig, and
// what it belongs to in full beside that.
func sibling(image, name string) string {
	host, rest, _ := strings.Cut(image, "/")
	if end := strings.IndexAny(rest, ":@"); end > 0 && strings.HasPrefix(name, rest[:end]) {
		if full := host + "/" + name; isReference(full) && strings.ContainsAny(name[end:end+1], ":@") {
			return full
		}
	}
	return ""
}

// CheckName makes sure that a digest in the name of an entry is that of its manifest,
// else it is a *NameError. read returns the manifest, and is called where the digests
// are of two algorithms; its error is left to those that read the manifest.
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

// sortedSet returns the distinct words, sorted, without the empty one.
func sortedSet(words []string) []string {
	set := slices.DeleteFunc(slices.Clone(words), func(w string) bool { return w == "" })
	slices.Sort(set)
	return slices.Clip(slices.Compact(set))
}

// isReference says that a name is a full reference: a host, a path, and a tag
// or a digest. It stands for 100,000 names, so it looks and does not match.
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
