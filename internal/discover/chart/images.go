package chart

import (
	"errors"
	"fmt"

	"github.com/oras-mirror/oras-mirror/internal/strictyaml"
)

// annotations are those that list images: of Helm's own proposal, of Artifact Hub, and of
// Bitnami.
var annotations = []string{"helm.sh/images", "artifacthub.io/images", "images"}

// imagesOf returns the images that one chart names, and the first fault.
func imagesOf(at string, m *Metadata, lock []byte) ([]Image, error) {
	from := func(kind string) string {
		if at == "" {
			return kind
		}
		return at + ", " + kind
	}
	var all []Image
	var fault error
	add := func(where, kind string, names []string, err error) {
		if err != nil && fault == nil {
			fault = &ImagesError{Where: where, Err: err}
		}
		for _, name := range names {
			all = append(all, Image{Name: name, From: from(kind)})
		}
	}
	for _, key := range annotations {
		if text, ok := m.Annotations[key]; ok {
			names, err := parseList([]byte(text))
			add(within(at, metadataFile)+": annotation "+key, "annotation", names, err)
		}
	}
	if lock != nil {
		names, err := parseLock(lock)
		add(within(at, lockFile), lockFile, names, err)
	}
	return all, fault
}

// parseList reads the list in an annotation, whose elements are names, or mappings with an image.
func parseList(data []byte) ([]string, error) {
	var elements []element
	if err := decode(data, &elements); err != nil {
		return nil, err
	}
	return namesOf(elements)
}

// parseLock reads an Images.lock.
func parseLock(data []byte) ([]string, error) {
	var lock struct {
		Images []element `yaml:"images"`
	}
	if err := decode(data, &lock); err != nil {
		return nil, err
	}
	return namesOf(lock.Images)
}

// element is an element of a list of images.
type element struct {
	Image string `yaml:"image"`
}

// UnmarshalText takes a string as the name.
func (e *element) UnmarshalText(text []byte) error {
	e.Image = string(text)
	return nil
}

func namesOf(elements []element) ([]string, error) {
	var names []string
	for i, e := range elements {
		if e.Image == "" {
			return names, fmt.Errorf("element %d names no image", i+1)
		}
		names = append(names, e.Image)
	}
	return names, nil
}

// decode reads the only document of a YAML file as yaml.v3 decodes it, and ignores keys that
// v does not have.
func decode(data []byte, v any) error {
	documents := 0
	for d, fault := range strictyaml.Documents(data) {
		if fault != nil {
			return fmt.Errorf("line %d: %w", fault.Position.Line, fault.Err)
		}
		if documents++; documents > 1 {
			return errors.New("more than one YAML document")
		}
		if err := d.Root.Decode(v); err != nil {
			return err
		}
	}
	return nil
}
