package lockfile

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/opencontainers/go-digest"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/config/internal/grammar"
	"github.com/oras-mirror/oras-mirror/internal/strictyaml"
)

// Artifact is an artifact at the time when the lock was written.
type Artifact struct {
	Reference config.Reference  `yaml:"reference"` // an artifact; its EntryName is unique in the lock
	Digest    digest.Digest     `yaml:"digest"`
	MediaType string            `yaml:"mediaType"`
	Size      int64             `yaml:"size"`      // bytes of the selected graph, each blob counted once
	Platforms []config.Platform `yaml:"platforms"` // selected platforms; nil means all
	Referrers []digest.Digest   `yaml:"referrers"` // selected referrers of the whole graph
	Subjects  []digest.Digest   `yaml:"subjects"`  // subjects of manifests in the graph, those that exist
	SignedBy  []string          `yaml:"signedBy"`  // the signers that a policy accepted; nil if no policy asked
	From      string            `yaml:"from"`      // where the reference was found, for readers: "deploy/web.yaml:12"; "" if the spec has it
	Repo      string            `yaml:"repo"`      // URL of the Helm repository of a chart; "" for an artifact of a registry
}

// Check reports the faults of the artifact while it is decoded.
func (a *Artifact) Check(o strictyaml.Object) {
	for _, key := range []string{"reference", "digest", "mediaType", "size"} {
		o.Require(key)
	}
	config.CheckPlatforms(o, a.Platforms)
	o.NotEmpty("referrers")
	o.NotEmpty("subjects")
	o.NotEmpty("signedBy")
	a.faults(func(key, at, reason string) {
		if o.Valid(key) {
			o.Fault(at, reason)
		}
	})
}

// faults reports the faults of each key, and the path of the value within it.
func (a *Artifact) faults(fault func(key, at, reason string)) {
	check := func(key, at, reason string) {
		if reason != "" {
			fault(key, at, reason)
		}
	}
	check("reference", "reference", a.referenceFault())
	check("digest", "digest", grammar.DigestFault(a.Digest.String()))
	check("mediaType", "mediaType", mediaTypeFault(a.MediaType))
	if a.Size < 1 {
		check("size", "size", fmt.Sprintf("must be at least 1, got %d", a.Size))
	}
	for i, d := range a.Referrers {
		check("referrers", strictyaml.Element("referrers", i), grammar.DigestFault(d.String()))
	}
	for i, signer := range a.SignedBy {
		if signer == "" || !utf8.ValidString(signer) {
			check("signedBy", strictyaml.Element("signedBy", i), fmt.Sprintf("invalid signer %q", signer))
		}
	}
	if !utf8.ValidString(a.From) {
		check("from", "from", "not UTF-8")
	}
	check("repo", "repo", a.repoFault())
	for i, d := range a.Subjects {
		check("subjects", strictyaml.Element("subjects", i), grammar.DigestFault(d.String()))
	}
}

func (a *Artifact) referenceFault() string {
	r := a.Reference
	switch {
	case r.IsRepository():
		return fmt.Sprintf("%q names a repository, not an artifact", r)
	case r.Digest != "" && r.Digest != a.Digest:
		return fmt.Sprintf("the digest in %q differs from that of the artifact", r)
	}
	return ""
}

func (a *Artifact) repoFault() string {
	if a.Repo == "" {
		return ""
	}
	if err := config.CheckHelmRepository(a.Repo); err != nil {
		return err.Error()
	}
	if a.Reference.Tag == "" {
		return "a chart of a Helm repository has a tag"
	}
	return ""
}

func mediaTypeFault(s string) string {
	if s == "" || !utf8.ValidString(s) {
		return fmt.Sprintf("invalid media type %q", s)
	}
	return ""
}

// unreadable returns why the line of the artifact would not load to it again, or "".
func (a *Artifact) unreadable() (reason string) {
	if parsed, err := config.ParseReference(a.Reference.String()); err != nil || parsed != a.Reference {
		return "invalid reference"
	}
	for _, p := range a.Platforms {
		if parsed, err := config.ParsePlatform(p.String()); err != nil || parsed != p {
			return fmt.Sprintf("invalid platform: %q", p)
		}
	}
	a.faults(func(_, at, fault string) {
		if reason == "" {
			reason = at + ": " + fault
		}
	})
	return reason
}

func (a *Artifact) appendLine(b []byte) []byte {
	b = append(b, "  - {reference: "...)
	b = appendScalar(b, a.Reference.String())
	b = append(b, ", digest: "...)
	b = append(b, a.Digest...)
	b = append(b, ", mediaType: "...)
	b = appendScalar(b, a.MediaType)
	b = append(b, ", size: "...)
	b = strconv.AppendInt(b, a.Size, 10)
	b = appendList(b, "platforms", a.Platforms)
	b = appendList(b, "referrers", a.Referrers)
	b = appendList(b, "subjects", a.Subjects)
	if len(a.SignedBy) > 0 {
		b = append(b, ", signedBy: ["...)
		for i, signer := range a.SignedBy {
			if i > 0 {
				b = append(b, ", "...)
			}
			b = strconv.AppendQuoteToASCII(b, signer)
		}
		b = append(b, ']')
	}
	if a.From != "" {
		b = appendScalar(append(b, ", from: "...), a.From)
	}
	if a.Repo != "" {
		b = appendScalar(append(b, ", repo: "...), a.Repo)
	}
	return append(b, "}\n"...)
}

// scanArtifact reads the values of a line. It need not be strict: scanAll writes the artifact
// again and compares.
func scanArtifact(line string) (a Artifact, ok bool) {
	s := scan{rest: line}
	reference, err := config.ParseReference(s.scalar("  - {reference: "))
	if err != nil {
		return a, false
	}
	a.Reference = reference
	a.Digest = digest.Digest(s.scalar(", digest: "))
	a.MediaType = s.scalar(", mediaType: ")
	a.Size, err = strconv.ParseInt(s.scalar(", size: "), 10, 64)
	for _, word := range s.list(", platforms: [") {
		p, platformErr := config.ParsePlatform(word)
		if platformErr != nil {
			return a, false
		}
		a.Platforms = append(a.Platforms, p)
	}
	for _, word := range s.list(", referrers: [") {
		a.Referrers = append(a.Referrers, digest.Digest(word))
	}
	for _, word := range s.list(", subjects: [") {
		a.Subjects = append(a.Subjects, digest.Digest(word))
	}
	a.SignedBy = s.quoted(", signedBy: [")
	a.From = s.scalar(", from: ")
	a.Repo = s.scalar(", repo: ")
	return a, err == nil && s.rest == "}\n"
}

// sortedArtifacts returns a copy that is sorted by reference, with sorted lists without
// duplicates.
func sortedArtifacts(artifacts []Artifact) []Artifact {
	sorted := slices.Clone(artifacts)
	for i := range sorted {
		a := &sorted[i]
		a.Platforms = config.DistinctPlatforms(a.Platforms)
		a.Referrers = slices.Compact(slices.Sorted(slices.Values(a.Referrers)))
		a.Subjects = slices.Compact(slices.Sorted(slices.Values(a.Subjects)))
		a.SignedBy = slices.Compact(slices.Sorted(slices.Values(a.SignedBy)))
	}
	slices.SortFunc(sorted, func(a, b Artifact) int {
		return strings.Compare(a.Reference.String(), b.Reference.String())
	})
	return sorted
}
