package config

import (
	"fmt"
	"iter"
	"path"
	"slices"

	"github.com/oras-mirror/oras-mirror/internal/discover"
	"github.com/oras-mirror/oras-mirror/internal/strictyaml"
)

// maxManifest bounds a file of manifests, in bytes.
const maxManifest = 64 << 20

// manifestFile is a file of manifests.
type manifestFile struct {
	name string
	read func(maximum int64) ([]byte, error) // nil: the file of the name
}

// manifestReader reads manifests and collects faults.
type manifestReader struct {
	files  []manifestFile
	added  map[string]bool
	faults []Fault
}

// add adds a file, unless it is there already.
func (m *manifestReader) add(f manifestFile) {
	if m.added == nil {
		m.added = make(map[string]bool)
	}
	if at := path.Clean(f.name); !m.added[at] {
		m.added[at] = true
		m.files = append(m.files, f)
	}
}

// read iterates over the files that can be read.
func (m *manifestReader) read() iter.Seq[discover.File] {
	return func(yield func(discover.File) bool) {
		for _, f := range m.files {
			data, err := f.content()
			if err != nil {
				m.faults = append(m.faults, newFault(f.name, strictyaml.Position{}, "", withoutPath(err)))
				continue
			}
			if !yield(discover.File{Name: f.name, Data: data}) {
				return
			}
		}
	}
}

func (f manifestFile) content() ([]byte, error) {
	read := f.read
	if read == nil {
		read = func(maximum int64) ([]byte, error) { return readFile(f.name, maximum) }
	}
	data, err := read(maxManifest + 1)
	if err == nil && int64(len(data)) > maxManifest {
		err = fmt.Errorf("larger than %d MiB, the limit for manifests", maxManifest>>20)
	}
	return data, err
}

// find finds the images in the files.
func (m *manifestReader) find() *Manifests {
	found := discover.Find(m.read())
	var named []Image
	for _, i := range found.Images {
		ref, err := ParseImage(i.Name)
		if err != nil {
			found.Faults = append(found.Faults, discover.Fault{Place: i.Place, Err: err})
			continue
		}
		named = append(named, Image{ref, []discover.Place{i.Place}})
	}
	slices.SortStableFunc(found.Faults, func(a, b discover.Fault) int { return a.Place.Compare(b.Place) })
	for _, f := range found.Faults {
		m.faults = append(m.faults, newFault(f.File, strictyaml.Position{Line: f.Line, Column: f.Column}, pathOf(f.Place), f.Err))
	}
	return &Manifests{Files: len(m.files), Images: distinctImages(named), Skipped: found.Skipped}
}

// distinctImages returns each reference once, with all of its places. Where a tag stands for
// several digests, only one image can have it in a layout: that without a digest, or else the
// first. The others are named by their digests alone, as Kubernetes reads them anyway.
func distinctImages(all []Image) []Image {
	holders := make(map[string]Reference)
	for _, i := range all {
		name := i.Reference.EntryName()
		if holder, ok := holders[name]; !ok || holder.Digest != "" && i.Reference.Digest == "" {
			holders[name] = i.Reference
		}
	}
	var distinct []Image
	index := make(map[Reference]int)
	for _, i := range all {
		if i.Reference != holders[i.Reference.EntryName()] {
			i.Reference.Tag = ""
		}
		at, known := index[i.Reference]
		if !known {
			index[i.Reference] = len(distinct)
			distinct = append(distinct, i)
			continue
		}
		distinct[at].Places = append(distinct[at].Places, i.Places...)
	}
	return distinct
}

// pathOf returns the path of a value as a fault shows it: "Pod a: spec.containers[0].image".
func pathOf(p discover.Place) string {
	if p.Object == "" || p.Path == "" {
		return p.Object + p.Path
	}
	return p.Object + ": " + p.Path
}
