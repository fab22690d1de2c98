package lockfile

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/config"
)

// BenchmarkParseLock reads a lock of 100,000 artifacts as WriteTo writes it, and the same
// lock with a comment, which needs the YAML decoder.
func BenchmarkParseLock(b *testing.B) {
	lock := &Lock{Artifacts: make([]Artifact, 100_000)}
	for i := range lock.Artifacts {
		name := fmt.Sprintf("team-%d/app-%d", i%100, i)
		d := digest.FromString(name)
		lock.Artifacts[i] = Artifact{
			Reference: config.Reference{Registry: "registry.corp.example", Repository: name, Tag: "v1"},
			Digest:    d, MediaType: ocispec.MediaTypeImageIndex, Size: 7 << 20,
			Platforms: []config.Platform{{OS: "linux", Architecture: "amd64"}},
			Referrers: []digest.Digest{digest.FromString(name + " signature")},
		}
	}
	var written bytes.Buffer
	if _, err := lock.WriteTo(&written); err != nil {
		b.Fatal(err)
	}
	for _, c := range []struct {
		name string
		data []byte
	}{
		{"scan", written.Bytes()},
		{"yaml", append([]byte("# reviewed\n"), written.Bytes()...)},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.SetBytes(int64(len(c.data)))
			b.ReportAllocs()
			for b.Loop() {
				read, err := Parse("mirror.lock.yaml", c.data)
				if err != nil || len(read.Artifacts) != len(lock.Artifacts) {
					b.Fatal(err)
				}
			}
		})
	}
}
