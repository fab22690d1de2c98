package advice

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/oras-mirror/oras-mirror/config/filter"
	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/internal/spelling"
	"github.com/oras-mirror/oras-mirror/internal/text"
)

// nearestTags shows the tags that a misspelt one may stand for.
func nearestTags(e *engine.TagError) string {
	tags := slices.DeleteFunc(slices.Clone(e.Tags), filter.IsReferrersTag)
	repository := e.Repository
	switch {
	case len(tags) == 0:
		return repository + " has no tags"
	case len(tags) <= fewNames && !e.More:
		return fmt.Sprintf("%s has %s", repository, tagList(tags))
	}
	of := "tags"
	if e.More {
		of = fmt.Sprintf("of the first %s", text.Count(len(tags), "tag"))
	}
	return fmt.Sprintf(`the nearest %s are %s; "oras repo tags %s" lists all`, of, strings.Join(Nearest(e.Tag, tags, fewNames), ", "), repository)
}

// tagList formats a few tags.
func tagList(tags []string) string {
	if len(tags) == 1 {
		return "only the tag " + tags[0]
	}
	return "only the tags " + strings.Join(tags, ", ")
}

// Nearest returns at most n of the names, the one most like word first. Of names that are
// equally near, the last comes first, since most registries sort their tags.
func Nearest(word string, names []string, n int) []string {
	type candidate struct {
		name                 string
		distance, prefix, at int
	}
	all := make([]candidate, len(names))
	for i, name := range names {
		all[i] = candidate{name, Distance(word, name), commonPrefix(word, name), i}
	}
	slices.SortFunc(all, func(a, b candidate) int {
		return cmp.Or(a.distance-b.distance, b.prefix-a.prefix, b.at-a.at)
	})
	var found []string
	for _, c := range all[:min(n, len(all))] {
		found = append(found, c.name)
	}
	return found
}

// Distance returns the number of edits between two names. It is at most 2 if one is a
// prefix of the other: 3.20 may stand for 3.20.3.
func Distance(a, b string) int {
	d := spelling.Distance(a, b)
	if strings.HasPrefix(a, b) || strings.HasPrefix(b, a) {
		return min(d, 2)
	}
	return d
}

func commonPrefix(a, b string) int {
	n := 0
	for n < min(len(a), len(b)) && a[n] == b[n] {
		n++
	}
	return n
}

// fewNames bounds the names in a hint: more do not fit on a line.
const fewNames = 5
