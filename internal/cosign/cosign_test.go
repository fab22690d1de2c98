package cosign

import (
	"slices"
	"strings"
	"testing"

	"github.com/opencontainers/go-digest"
)

func TestTagsNameTheirSubject(t *testing.T) {
	subject := digest.FromString("an image")
	tags := Tags(subject, Kinds)
	name := "sha256-" + subject.Encoded()
	if want := []string{name + ".sig", name + ".att", name + ".sbom"}; !slices.Equal(tags, want) {
		t.Fatalf("Tags = %q, want %q", tags, want)
	}
	for _, tag := range tags {
		if got, ok := Subject(tag); !ok || got != subject {
			t.Errorf("Subject(%q) = %q, %v", tag, got, ok)
		}
	}
}

// TestLongDigests: no registry can have the tag of a sha512 digest, but a layout can.
func TestLongDigests(t *testing.T) {
	subject := digest.SHA512.FromString("an image")
	if tags := Tags(subject, Kinds); len(tags) > 0 {
		t.Errorf("Tags = %q", tags)
	}
	if got, ok := Subject(Tag(subject, Signature)); !ok || got != subject {
		t.Errorf("Subject = %q, %v", got, ok)
	}
}

func TestOtherTagsHaveNoSubject(t *testing.T) {
	name := "sha256-" + digest.FromString("an image").Encoded()
	for _, tag := range []string{
		"", "v1", name, name + ".txt", name + "0.sig", name[:len(name)-1] + ".sig", "x" + name + ".sig",
		strings.ToUpper(name) + ".sig", strings.Replace(name, "-", ":", 1) + ".sig", "md5-0123456789abcdef0123456789abcdef.sig",
	} {
		if subject, ok := Subject(tag); ok {
			t.Errorf("Subject(%q) = %q", tag, subject)
		}
	}
}
