package lockfile

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/opencontainers/go-digest"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/config/filter"
	"github.com/oras-mirror/oras-mirror/config/internal/grammar"
	"github.com/oras-mirror/oras-mirror/internal/strictyaml"
)

// Pending is a tag that is too new to be locked. The lock is the record of the day on
// which its digest was first seen.
type Pending struct {
	Reference config.Reference `yaml:"reference"` // with a tag and without a digest; unique among the pending
	Digest    digest.Digest    `yaml:"digest"`
	FirstSeen string           `yaml:"firstSeen"` // a day in UTC: 2026-11-26
}

const day = 24 * time.Hour

// Today returns the day of a time in the form of FirstSeen.
func Today(now time.Time) string { return now.UTC().Format(time.DateOnly) }

// Until returns the first day on which the artifact is old enough. FirstSeen counts as a whole
// day and the lock changes at midnight only, so that it is never younger than age, and that all
// locks of a day are the same.
func (p Pending) Until(age filter.Age) string {
	seen, _ := time.Parse(time.DateOnly, p.FirstSeen) // checked when it was loaded
	until := seen.Add(day + time.Duration(age))
	if whole := until.Truncate(day); whole.Before(until) {
		until = whole.Add(day)
	}
	return Today(until)
}

// Check reports the faults of the artifact while it is decoded.
func (p *Pending) Check(o strictyaml.Object) {
	for _, key := range []string{"reference", "digest", "firstSeen"} {
		o.Require(key)
	}
	if key, reason := p.fault(); reason != "" && o.Valid(key) {
		o.Fault(key, reason)
	}
}

// fault returns the key with a fault, and the reason; "" if there is none.
func (p *Pending) fault() (key, reason string) {
	if p.Reference.Tag == "" || p.Reference.Digest != "" {
		return "reference", fmt.Sprintf("%q is not a tag", p.Reference)
	}
	if reason := grammar.DigestFault(p.Digest.String()); reason != "" {
		return "digest", reason
	}
	if at, err := time.Parse(time.DateOnly, p.FirstSeen); err != nil || at.Year() < 1 {
		return "firstSeen", fmt.Sprintf("invalid day %q (example: 2026-11-26)", p.FirstSeen)
	}
	return "", ""
}

func checkPending(o strictyaml.Object, all []Pending) {
	o.NotEmpty("pending")
	seen := make(map[config.Reference]int)
	for i, p := range all {
		if first, ok := seen[p.Reference]; ok && p.Reference != (config.Reference{}) {
			o.Fault(strictyaml.Element("pending", i), fmt.Sprintf("%s is already in pending[%d]", p.Reference, first))
			continue
		}
		seen[p.Reference] = i
	}
}

func writablePending(all []Pending) error {
	seen := make(map[config.Reference]bool, len(all))
	for i := range all {
		p := &all[i]
		if parsed, err := config.ParseReference(p.Reference.String()); err != nil || parsed != p.Reference {
			return fmt.Errorf("%s: invalid reference", p.Reference)
		}
		if key, reason := p.fault(); reason != "" {
			return fmt.Errorf("%s: %s: %s", p.Reference, key, reason)
		}
		if seen[p.Reference] {
			return fmt.Errorf("%s: pending twice", p.Reference)
		}
		seen[p.Reference] = true
	}
	return nil
}

// pendingKey is the line between the artifacts and those that are pending.
const pendingKey = "pending:\n"

func (p *Pending) appendLine(b []byte) []byte {
	b = append(b, "  - {reference: "...)
	b = appendScalar(b, p.Reference.String())
	b = append(b, ", digest: "...)
	b = append(b, p.Digest...)
	b = append(b, ", firstSeen: "...)
	b = strconv.AppendQuote(b, p.FirstSeen)
	return append(b, "}\n"...)
}

// scanPending reads the values of a line, like scanArtifact.
func scanPending(line string) (p Pending, ok bool) {
	s := scan{rest: line}
	reference, err := config.ParseReference(s.scalar("  - {reference: "))
	if err != nil {
		return p, false
	}
	p.Reference = reference
	p.Digest = digest.Digest(s.scalar(", digest: "))
	p.FirstSeen = s.scalar(", firstSeen: ")
	return p, s.rest == "}\n"
}

func sortedPending(all []Pending) []Pending {
	sorted := slices.Clone(all)
	slices.SortFunc(sorted, func(a, b Pending) int {
		return strings.Compare(a.Reference.String(), b.Reference.String())
	})
	return sorted
}
