package oci

import (
	"fmt"
	"strings"
	"testing"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// named returns an entry as another tool writes it: its content, and pairs of annotations.
func named(content string, annotations ...string) string {
	var pairs []string
	for i := 0; i < len(annotations); i += 2 {
		pairs = append(pairs, fmt.Sprintf("%q:%q", annotations[i], annotations[i+1]))
	}
	return fmt.Sprintf(`{"mediaType":%q,"digest":%q,"size":%d,"annotations":{%s}}`,
		ocispec.MediaTypeImageManifest, digest.FromString(content), len(content), strings.Join(pairs, ","))
}

func indexOf(entries ...string) string {
	return `{"schemaVersion":2,"manifests":[` + strings.Join(entries, ",") + `]}`
}

// TestAttachedKindsBecomeCosignsTags: cosign save and hauler give a signature the name
// of its image, or none; cosign finds it in a registry by its tag alone.
func TestAttachedKindsBecomeCosignsTags(t *testing.T) {
	const ref, image, kind = ocispec.AnnotationRefName, AnnotationImageName, "kind"
	const cosign, hauler = "dev.cosignproject.cosign/", "dev.hauler/"
	of := func(content string) string { return "sha256-" + digest.FromString(content).Encoded() }
	for _, tt := range []struct {
		name    string
		entries []string
		want    []string
	}{
		{"cosign save", []string{named("i", kind, cosign+"image"), named("s", kind, cosign+"sigs"), named("a", kind, cosign+"atts")},
			[]string{"", of("i") + ".sig", of("i") + ".att"}},
		{"cosign save of an index", []string{named("i", kind, cosign+"imageIndex"), named("s", kind, cosign+"sigs")},
			[]string{"", of("i") + ".sig"}},
		{"full names, the signature first", []string{
			named("s", kind, cosign+"sigs", ref, "ghcr.io/acme/app:v1"), named("i", kind, cosign+"image", ref, "ghcr.io/acme/app:v1"),
			named("b", kind, cosign+"sboms", ref, "ghcr.io/acme/app:v1"), named("j", kind, cosign+"image", ref, "ghcr.io/acme/app:v2"),
			named("t", kind, cosign+"sigs", ref, "ghcr.io/acme/app:v2")},
			[]string{"ghcr.io/acme/app:" + of("i") + ".sig", "ghcr.io/acme/app:v1", "ghcr.io/acme/app:" + of("i") + ".sbom",
				"ghcr.io/acme/app:v2", "ghcr.io/acme/app:" + of("j") + ".sig"}},
		{"a name by digest", []string{named("i", kind, hauler+"image", ref, "localhost:5000/x/app@"+string(digest.FromString("i"))),
			named("s", kind, hauler+"sigs", ref, "localhost:5000/x/app@"+string(digest.FromString("i")))},
			[]string{"localhost:5000/x/app@" + string(digest.FromString("i")), "localhost:5000/x/app:" + of("i") + ".sig"}},
		{"hauler", []string{named("i", kind, hauler+"image", ref, "acme/app:v1", image, "ghcr.io/acme/app:v1"),
			named("s", kind, hauler+"sigs", ref, "acme/app:v1", image, "ghcr.io/acme/app:v1"),
			named("r", kind, hauler+"referrers/0123", ref, "acme/app:v1", image, "ghcr.io/acme/app:v1")},
			[]string{"ghcr.io/acme/app:v1", "ghcr.io/acme/app:" + of("i") + ".sig", ""}},
		{"hauler, of a platform", []string{named("i", kind, hauler+"imageIndex", ref, "acme/app:v1"),
			named("s", kind, hauler+"sigs/"+digest.FromString("child").Encoded(), ref, "acme/app:v1"),
			named("a", kind, hauler+"atts", "hauler.dev/subject-digest", string(digest.FromString("other")), ref, "acme/app:v1")},
			[]string{"acme/app:v1", of("child") + ".sig", of("other") + ".att"}},
		{"hauler without kinds", []string{named("i", ref, "acme/app:v1", image, "ghcr.io/acme/app:v1"),
			named("s", ref, "acme/app:"+of("i")+".sig", image, "ghcr.io/acme/app:v1"),
			named("r", ref, "acme/app@"+string(digest.FromString("r")), image, "ghcr.io/acme/app:v1")},
			[]string{"ghcr.io/acme/app:v1", "ghcr.io/acme/app:" + of("i") + ".sig", "ghcr.io/acme/app@" + string(digest.FromString("r"))}},
		{"a signature of unknown origin", []string{named("i", kind, cosign+"image"), named("j", kind, cosign+"image"), named("s", kind, cosign+"sigs")},
			[]string{"", "", ""}},
		{"a signature alone", []string{named("s", kind, cosign+"sigs", ref, "ghcr.io/acme/app:v1")}, []string{""}},
		{"a kind of another tool", []string{named("s", kind, "com.example/sigs", ref, "v1"), named("t", kind, cosign+"else", ref, "v2")},
			[]string{"v1", "v2"}},
	} {
		text := indexOf(tt.entries...)
		x := readIndex(t, text)
		for i, e := range x.Entries {
			if e.Name != tt.want[i] {
				t.Errorf("%s: entry %d is called %q, want %q", tt.name, i, e.Name, tt.want[i])
			}
		}
		keepsWhatWasWritten(t, tt.name, text, x)
	}
}

// keepsWhatWasWritten checks that a tool finds the annotations that it wrote.
func keepsWhatWasWritten(t *testing.T, name, text string, x *Index) {
	t.Helper()
	var before, after ocispec.Index
	unmarshal(t, text, &before)
	unmarshal(t, indexText(t, x), &after)
	byDigest := make(map[digest.Digest]map[string]string)
	for _, m := range after.Manifests {
		byDigest[m.Digest] = m.Annotations
	}
	for _, m := range before.Manifests {
		for key, value := range m.Annotations {
			if got := byDigest[m.Digest][key]; got != value {
				t.Errorf("%s: %s became %q, from %q", name, key, got, value)
			}
		}
	}
}

func TestAttachedTo(t *testing.T) {
	subject := digest.FromString("an image")
	tag := "sha256-" + subject.Encoded() + ".sig"
	for name, want := range map[string]bool{
		tag:                                    true,
		"ghcr.io/acme/app:" + tag:              true,
		"localhost:5000/app:" + tag:            true,
		"acme/app:" + tag:                      false,
		"ghcr.io/acme/app:v1":                  false,
		"ghcr.io/acme/app@" + subject.String(): false,
		"":                                     false,
	} {
		if got, ok := (Entry{Name: name}).AttachedTo(); ok != want || ok && got != subject {
			t.Errorf("%s: %s, %v", name, got, ok)
		}
	}
}
