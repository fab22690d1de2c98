package route

import (
	"regexp"
	"slices"
	"strings"

	"github.com/bmatcuk/doublestar/v4"

	"github.com/oras-mirror/oras-mirror/engine/internal/origin"
	"github.com/oras-mirror/oras-mirror/internal/dockerhub"
	"github.com/oras-mirror/oras-mirror/internal/glob"
)

// onlyPattern chooses roots of an input: REPOSITORY[:TAG|@DIGEST], each part a glob
// of its own, so that ** spans any number of path components in front of a tag too.
// The repository is matched with its registry and without.
type onlyPattern struct {
	text         string  // for digests
	alternatives []parts // one for each way to take the braces; never empty
}

// parts are those of a pattern, or of a name.
type parts struct{ repository, tag, digest string }

func parseOnly(text string) onlyPattern {
	text = dockerhub.Rename(text)
	p := onlyPattern{text: text}
	for _, one := range glob.Alternatives(text) {
		// No repository of Docker Hub has one part: this is the short form of an official image.
		p.alternatives = append(p.alternatives, splitPattern(official(one)))
	}
	return p
}

// official calls Docker Hub by its one name, and writes the short form of an official
// image out, unless ** stands for more than its name.
func official(pattern string) string {
	if strings.Contains(pattern, "**") {
		return dockerhub.Rename(pattern)
	}
	return dockerhub.Reference(pattern)
}

// matches reports whether the pattern names a root.
func (p onlyPattern) matches(r origin.Root) bool {
	if isDigestPattern.MatchString(p.text) {
		return globs(p.text, r.Entry.Digest.String())
	}
	names := []parts{splitPattern(r.Entry.Name)}
	if r.Ref.Registry != "" {
		names = []parts{{r.Ref.Name(), r.Ref.Tag, r.Ref.Digest.String()}, {r.Ref.Repository, r.Ref.Tag, r.Ref.Digest.String()}}
	}
	return slices.ContainsFunc(p.alternatives, func(a parts) bool { return slices.ContainsFunc(names, a.matches) })
}

var isDigestPattern = regexp.MustCompile(`^sha\d+:`)

// matches reports whether the parts of a name are those of the pattern. One without a
// tag or a digest takes any.
func (p parts) matches(name parts) bool {
	return globs(p.repository, name.repository) && (p.tag == "" || globs(p.tag, name.tag)) && (p.digest == "" || globs(p.digest, name.digest))
}

func globs(pattern, name string) bool {
	ok, err := doublestar.Match(pattern, name)
	return ok && err == nil
}

// splitPattern cuts a pattern, or a name, where a reference has its tag or its digest: at the
// last colon of the last component, and before that at an @.
func splitPattern(text string) parts {
	p := parts{repository: text}
	at, colon := -1, -1
	glob.EachPlain(text, func(i int) bool {
		switch text[i] {
		case '/':
			at, colon = -1, -1
		case '@':
			if at < 0 {
				at = i
			}
		case ':':
			if at < 0 {
				colon = i
			}
		}
		return true
	})
	if at >= 0 {
		p.repository, p.digest = text[:at], text[at+1:]
	}
	if colon >= 0 {
		p.repository, p.tag = text[:colon], p.repository[colon+1:]
	}
	return p
}
