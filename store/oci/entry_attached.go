package oci

import (
	"strings"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/internal/cosign"
)

// The annotations by which "cosign save" and hauler distinguish an image from its
// attachments, where all have the name of the image or none (github.com/sigstore/cosign,
// pkg/oci/layout; hauler.dev/go/hauler, pkg/consts).
const (
	annotationKind    = "kind"
	annotationSubject = "hauler.dev/subject-digest"
)

// kindVendors are the prefixes of a kind. Hauler used that of cosign before it had its
// own.
var kindVendors = []string{"dev.cosignproject.cosign/", "dev.hauler/"}

// attachedKinds maps each kind to the ending of the tag under which cosign looks for it.
var attachedKinds = map[string]cosign.Kind{"sigs": cosign.Signature, "atts": cosign.Attestation, "sboms": cosign.SBOM}

// AttachedTo returns the digest of the manifest to which cosign attached the entry, by
// its tag; ok is false for any other entry.
func (e Entry) AttachedTo() (subject digest.Digest, ok bool) {
	name, _, _ := strings.Cut(e.Name, "@")
	if isReference(name) {
		name = name[strings.LastIndexByte(name, ':')+1:]
	}
	return cosign.Subject(name)
}

// kind returns the kind of an entry without its vendor, and the digest after it, if any:
// "sigs" and HEX for dev.hauler/sigs/HEX.
func (e *Entry) kind() (kind, of string) {
	if e.foreign == nil {
		return "", ""
	}
	for _, vendor := range kindVendors {
		if rest, ok := strings.CutPrefix(e.foreign.annotations[annotationKind], vendor); ok {
			kind, of, _ = strings.Cut(rest, "/")
			return kind, of
		}
	}
	return "", ""
}

// isImage reports whether an entry is an image that others are attached to.
func (e *Entry) isImage() bool {
	kind, _ := e.kind()
	return kind == "image" || kind == "imageIndex"
}

// declaredSubject returns the digest that the annotations of an entry say it is attached
// to, or "".
func (e *Entry) declaredSubject(of string) digest.Digest {
	for _, d := range []digest.Digest{digest.Digest(e.foreign.annotations[annotationSubject]), digest.NewDigestFromEncoded(digest.SHA256, of)} {
		if d.Validate() == nil {
			return d
		}
	}
	return ""
}

// attachedName returns the name of an attachment of the image with that name; "" where
// the digest of the image is unknown.
func attachedName(image string, subject digest.Digest, kind cosign.Kind) string {
	if subject == "" {
		return ""
	}
	tag := cosign.Tag(subject, kind)
	if !isReference(image) {
		return tag
	}
	host, rest, _ := strings.Cut(image, "/")
	return host + "/" + rest[:strings.IndexAny(rest, ":@")] + ":" + tag
}

// rename changes the name of an entry. The annotations of its tool keep the old name, so
// that the tool finds it.
func (e *Entry) rename(name string) {
	if e.Name == name {
		return
	}
	keep := func(key string) {
		if _, kept := e.foreign.annotations[key]; !kept && e.Name != "" {
			e.keepAnnotation(key, e.Name)
		}
	}
	keep(ocispec.AnnotationRefName)
	if isReference(e.Name) {
		keep(AnnotationImageName)
	}
	e.Name = name
}
