package store

import (
	"cmp"
	"strings"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/internal/cosign"
)

// The annotations by which "cosign save" and hauler tell an image from what is
// attached to it, where all of them have the name of the image, or none
// (github.com/sigstore/cosign, pkg/oci/layout; hauler.dev/go/hauler, pkg/consts).
const (
	annotationKind    = "kind"
	annotationSubject = "hauler.dev/subject-digest"
)

// kindVendors begin a kind. Hauler used cosign's before it had its own.
var kindVendors = []string{"dev.cosignproject.cosign/", "dev.hauler/"}

// attachedKinds are the kinds of tags under which cosign looks for each in a registry.
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

// kind returns the kind of an entry without its vendor, and the digest behind it, if
// there is one: "sigs" and HEX of dev.hauler/sigs/HEX.
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

// isImage says that an entry is what others are attached to.
func (e *Entry) isImage() bool {
	kind, _ := e.kind()
	return kind == "image" || kind == "imageIndex"
}

// nameAttached gives what is attached to an image the name under which cosign finds
// it in a registry, REPOSITORY:sha256-HEX.sig, in place of the name of the image. A
// referrer loses that name: its manifest says what it belongs to.
func (x *Index) nameAttached() {
	var images map[string]digest.Digest
	for i := range x.Entries {
		e := &x.Entries[i]
		kind, of := e.kind()
		if tagKind := attachedKinds[kind]; tagKind != "" {
			if images == nil {
				images = x.images()
			}
			e.rename(attachedName(e.Name, cmp.Or(e.declaredSubject(of), images[e.Name]), tagKind))
		} else if kind == "referrers" {
			e.rename("")
		}
	}
}

// images returns the images by their names; a name that two have stands for none.
func (x *Index) images() map[string]digest.Digest {
	images := make(map[string]digest.Digest)
	for i := range x.Entries {
		e := &x.Entries[i]
		if !e.isImage() {
			continue
		}
		if other, met := images[e.Name]; met && other != e.Digest {
			images[e.Name] = ""
			continue
		}
		images[e.Name] = e.Digest
	}
	return images
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

// rename gives an entry another name than the one that its tool wrote, which stays
// in index.json for that tool to find.
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
