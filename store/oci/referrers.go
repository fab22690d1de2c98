package oci

import (
	"regexp"
	"strings"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// ListedReferrer is a manifest that a list of referrers names.
type ListedReferrer struct {
	ocispec.Descriptor
	Subject digest.Digest
}

// listTag matches a tag that is made of the digest of a subject, which may be cut at 64
// characters.
var listTag = regexp.MustCompile(`^(?:sha256-[0-9a-f]{64}|sha512-[0-9a-f]{64}|sha512-[0-9a-f]{128})$`)

// ReferrersList returns the members of an entry that is a list of referrers and not an
// artifact. A registry without the referrers API has such an index under a tag made of the
// digest of their subject (distribution-spec, "Referrers Tag Schema"), and tools that copy
// tags write it into a layout. An index under such a tag is an artifact if none of its
// manifests has that subject. A manifest that cannot be read counts as a referrer of the
// subject in the tag.
func ReferrersList(e Entry, read func(ocispec.Descriptor) ([]byte, error)) (members []ListedReferrer, is bool) {
	tag := e.Name[strings.LastIndexAny(e.Name, "/:")+1:]
	if !listTag.MatchString(tag) {
		return nil, false
	}
	m, err := readParsed(e.Descriptor(), read)
	if err != nil || !m.IsIndex() {
		return nil, false
	}
	supposed, is := subjectOf(tag), len(m.Manifests) == 0
	for _, child := range m.Manifests {
		member, err := readParsed(child, read)
		switch {
		case err != nil && supposed != "":
			members = append(members, ListedReferrer{child, supposed})
		case err == nil && member.Subject != nil && isListedUnder(tag, member.Subject.Digest):
			members = append(members, ListedReferrer{child, member.Subject.Digest})
		}
	}
	return members, is || len(members) > 0
}

func readParsed(desc ocispec.Descriptor, read func(ocispec.Descriptor) ([]byte, error)) (*Manifest, error) {
	data, err := read(desc)
	if err != nil {
		return nil, err
	}
	return ParseManifest(desc, data)
}

// subjectOf returns the complete digest in a tag, or "".
func subjectOf(tag string) digest.Digest {
	d := digest.Digest(strings.Replace(tag, "-", ":", 1))
	if d.Validate() != nil {
		return ""
	}
	return d
}

func isListedUnder(tag string, subject digest.Digest) bool {
	algorithm, encoded, _ := strings.Cut(tag, "-")
	return algorithm == subject.Algorithm().String() && strings.HasPrefix(subject.Encoded(), encoded)
}
