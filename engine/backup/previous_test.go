package backup

import (
	"testing"

	"github.com/opencontainers/go-digest"

	"github.com/oras-mirror/oras-mirror/store/oci"
)

func TestNamesOfAReplacedBundleAreRememberedWithWhatTheyWere(t *testing.T) {
	x := &oci.Index{Entries: []oci.Entry{
		{Name: "a.example/x:v1", MediaType: "application/a", Digest: digest.FromString("1"), Size: 1},
		{Name: "a.example/x:v2", MediaType: "application/b", Digest: digest.SHA512.FromString("2"), Size: 2},
		{MediaType: "application/c", Digest: digest.FromString("3"), Size: 3},
	}}
	p := rememberNames(x)
	if d, ok := p.named("a.example/x:v1"); !ok || d.MediaType != "application/a" || d.Digest != x.Entries[0].Digest || d.Size != 1 {
		t.Errorf("%v, %v", d, ok)
	}
	for _, name := range []string{"a.example/x:v2", "", "a.example/x:v3"} {
		if d, ok := p.named(name); ok {
			t.Errorf("%q is %v", name, d)
		}
	}
}
