package config

import (
	"errors"
	"fmt"
	"iter"
	"path"
	"slices"
	"strings"

	"github.com/oras-mirror/oras-mirror/internal/discover"
	"github.com/oras-mirror/oras-mirror/internal/strictyaml"
)

// Manifests holds the images that Kubernetes manifests name.
type Manifests struct {
	Origin  string // of the source, for messages: "mirror.yaml:5"; "" without one
	Files   int
	Images  []Image // each reference once, in the order of the files
	Skipped []discover.Skipped
}

// Image is an image of manifests.
type Image struct {
	Reference Reference
	Places    []discover.Place // at least one
}

// selections returns a copy of base for each image.
func (m *Manifests) selections(base Selection, shorten func(string) string) []Selection {
	all := make([]Selection, len(m.Images))
	for i, image := range m.Images {
		at := image.Places[0]
		all[i] = base
		all[i].Reference = image.Reference
		all[i].Origin = fmt.Sprintf("%s:%d", at.File, at.Line)
		all[i].From = strings.ToValidUTF8(fmt.Sprintf("%s:%d", shorten(at.File), at.Line), "?")
	}
	return all
}

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

// FindImages finds the images in manifests. A path is a file or a folder, whose manifests are
// found at any depth; "-" is read from stdin. Its error is a [*LoadError] with every fault.
func FindImages(paths []string, stdin func(maximum int64) ([]byte, error)) (*Manifests, error) {
	var m manifestReader
	for _, p := range paths {
		if p == "-" {
			m.add(manifestFile{name: "standard input", read: stdin})
			continue
		}
		files, err := filesAt("", p)
		if err == nil && len(files) == 0 {
			err = errors.New("no .yaml, .yml or .json file in the folder")
		}
		if err != nil {
			m.faults = append(m.faults, newFault(p, strictyaml.Position{}, "", withoutPath(err)))
		}
		for _, name := range files {
			m.add(manifestFile{name: name})
		}
	}
	found := m.find()
	return found, loadError(m.faults)
}

// FindRendered finds the images in manifests that were made of a chart. The name stands for a
// file in messages.
func FindRendered(name string, data []byte) (*Manifests, error) {
	var m manifestReader
	m.add(manifestFile{name: name, read: func(int64) ([]byte, error) { return data, nil }})
	found := m.find()
	return found, loadError(m.faults)
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
