package oci

import (
	"crypto/sha256"
	"io"
	"slices"

	"github.com/opencontainers/go-digest"
)

// RootsDigest identifies the artifacts of an index: it is the sha256 of the sorted lines
// "DIGEST NAME\n" of its entries with a name for which only is true; nil takes all. Two
// layouts with the same artifacts have the same, whatever their form, and so has their
// lock: attachments of cosign do not count, since a lock lists them as referrers. Without any
// such entry the lines have the digests of all entries, and no name.
func (x *Index) RootsDigest(only func(name string) bool) digest.Digest {
	var lines []string
	named := false
	for i := range x.Entries {
		e := &x.Entries[i]
		if _, attached := e.AttachedTo(); e.Name == "" || attached {
			continue
		}
		named = true
		if only == nil || only(e.Name) {
			lines = append(lines, string(e.Digest)+" "+e.Name+"\n")
		}
	}
	for i := range x.Entries {
		if !named {
			lines = append(lines, string(x.Entries[i].Digest)+" \n")
		}
	}
	return rootsDigest(lines)
}

func rootsDigest(lines []string) digest.Digest {
	slices.Sort(lines)
	hash := sha256.New()
	for _, line := range slices.Compact(lines) {
		_, _ = io.WriteString(hash, line) // a hash takes everything
	}
	return digest.NewDigest(digest.SHA256, hash)
}
