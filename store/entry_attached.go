package store

import (
	"cmp"
	"strings"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
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

// attachedSuffixes end the tags under which cosign looks for each kind in a registry.
var attachedSuffixes = map[string]string{"sigs": ".sig", "atts": ".att", "sboms": ".sbom"}

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
		if suffix := attachedSuffixes[kind]; suffix != "" {
			if images == nil {
				images = x.images()
			}
			e.rename(attachedName(e.Name, cmp.Or(e.attachedTo(of), images[e.Name]), suffix))
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

// attachedTo returns what an entry itself says that it is attached to, if anything.
func (e *Entry) attachedTo(of string) digest.Digest {
	for _, d := range []digest.Digest{digest.Digest(e.foreign.annotations[annotationSubject]), digest.NewDigestFromEncoded(digest.SHA256, of)} {
		if d.Validate() == nil {
			return d
		}
	}
	return ""
}

// attachedName returns the name of what is attached to an image of that name; none
// where it is not known to which digest.
func attachedName(image string, subject digest.Digest, suffix string) string {
	if subject == "" {
		return ""
	}
	tag := string(subject.Algorithm()) + "-" + subject.Encoded() + suffix
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
