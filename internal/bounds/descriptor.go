package bounds

import ocispec "github.com/opencontainers/image-spec/specs-go/v1"

// elementMemory is the memory of a string in a list, which grows as it is decoded.
const elementMemory = 48

// DescriptorMemory returns the memory of a descriptor and everything in it, in bytes.
func DescriptorMemory(d *ocispec.Descriptor) int64 {
	n := 200 + len(d.MediaType) + len(d.Digest) + len(d.ArtifactType) + len(d.Data)
	for _, u := range d.URLs {
		n += elementMemory + len(u)
	}
	for key, value := range d.Annotations {
		n += 100 + len(key) + len(value)
	}
	if p := d.Platform; p != nil {
		n += 120 + len(p.Architecture) + len(p.OS) + len(p.OSVersion) + len(p.Variant)
		for _, feature := range p.OSFeatures {
			n += elementMemory + len(feature)
		}
	}
	return int64(n)
}
