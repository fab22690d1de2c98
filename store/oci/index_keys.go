package oci

import (
	"strings"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// maxWords bounds the strings that are stored once: in a hostile file all are different.
const maxWords = 10_000

// listMemory is the memory of an element while a list is built.
const listMemory = 48

// name reads a name. The second name of an entry usually equals the first.
func (in *indexReader) name() (string, error) {
	text, err := in.Text()
	switch {
	case string(text) == in.imageName:
		return in.imageName, err
	case string(text) == in.refName:
		return in.refName, err
	}
	return string(text), err
}

// word reads a string that occurs in many entries.
func (in *indexReader) word() (string, error) {
	text, err := in.Text()
	if word, ok := in.words[string(text)]; ok || err != nil {
		return word, err
	}
	word := string(text)
	if len(in.words) < maxWords {
		in.words[word] = word
	}
	return word, in.keeps(len(word))
}

// list reads a comma-separated list, and returns the same slice for the same text.
func (in *indexReader) list() ([]string, error) {
	text, err := in.word()
	if list, ok := in.lists[text]; ok || err != nil {
		return list, err
	}
	if err := in.keeps(listMemory * (1 + strings.Count(text, ","))); err != nil {
		return nil, err
	}
	list := sortedSet(strings.Split(text, ","))
	if len(in.lists) < maxWords {
		in.lists[text] = list
	}
	return list, nil
}

// knownKey returns text as a string, without an allocation for the keys of every entry.
func knownKey(text []byte) string {
	switch string(text) {
	case "mediaType":
		return "mediaType"
	case "digest":
		return "digest"
	case "size":
		return "size"
	case "annotations":
		return "annotations"
	case "artifactType":
		return "artifactType"
	case ocispec.AnnotationRefName:
		return ocispec.AnnotationRefName
	case AnnotationImageName:
		return AnnotationImageName
	case AnnotationReferrers:
		return AnnotationReferrers
	case AnnotationPlatforms:
		return AnnotationPlatforms
	case AnnotationRepositories:
		return AnnotationRepositories
	case AnnotationSubject:
		return AnnotationSubject
	}
	return string(text)
}
