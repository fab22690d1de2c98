package delta

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/opencontainers/go-digest"

	"github.com/oras-mirror/oras-mirror/store/oci"
)

// MediaType is the media type of a list of the blobs of a delta.
const MediaType = "application/vnd.oras-mirror.delta.v1+json"

// deltaList is the content of a list. It looks like a manifest, so that a reader of a pipe
// keeps it.
type deltaList struct {
	MediaType string                   `json:"mediaType"`
	Blobs     []digest.Digest          `json:"blobs"`
	Elsewhere map[digest.Digest]string `json:"elsewhere,omitempty"`
}

// perList bounds the digests of one list: 40,000 have 3 MB.
const perList = 40_000

// Content holds the blobs that a delta lists.
type Content struct {
	Blobs     []digest.Digest          // that it has, in any order
	Elsewhere map[digest.Digest]string // blobs that it has not, with a repository of a base
}

// Lists returns the lists, the same for the same content. There is at least one.
func (c Content) Lists() [][]byte {
	blobs := slices.Clone(c.Blobs)
	slices.Sort(blobs)
	blobs = slices.Compact(blobs)
	others := slices.Sorted(maps.Keys(c.Elsewhere))
	var lists [][]byte
	for len(lists) == 0 || len(blobs)+len(others) > 0 {
		var some, more []digest.Digest
		some, blobs = cut(blobs, perList)
		more, others = cut(others, perList-len(some))
		lists = append(lists, c.list(some, more))
	}
	return lists
}

// cut cuts the first n elements off.
func cut(all []digest.Digest, n int) (some, rest []digest.Digest) {
	n = min(n, len(all))
	return all[:n], all[n:]
}

// list writes a list with a line for each blob.
func (c Content) list(blobs, elsewhere []digest.Digest) []byte {
	b := []byte(`{"mediaType":"` + MediaType + `","blobs":[`)
	separator := "\n"
	for _, d := range blobs {
		b = oci.AppendString(append(b, separator...), string(d))
		separator = ",\n"
	}
	b = append(b, "\n]"...)
	if len(elsewhere) > 0 {
		b, separator = append(b, `,"elsewhere":{`...), "\n"
		for _, d := range elsewhere {
			b = append(oci.AppendString(append(b, separator...), string(d)), ':')
			b = oci.AppendString(b, c.Elsewhere[d])
			separator = ",\n"
		}
		b = append(b, "\n}"...)
	}
	return append(b, "}\n"...)
}

func (d *Delta) parseList(data []byte) error {
	var list deltaList
	if err := json.Unmarshal(data, &list); err != nil {
		return err
	}
	if list.MediaType != MediaType {
		return fmt.Errorf("the media type is %.100q, expected %s", list.MediaType, MediaType)
	}
	return d.Add(Content{list.Blobs, list.Elsewhere})
}
