package discover

import (
	"errors"
	"fmt"
	"path"
	"slices"
)

// build joins files as "kustomize build" does, as far as images go.
type build struct {
	result    Found
	manifests []*manifest
	byPath    map[string]*manifest
	used      map[*manifest]bool // by a kustomization
	built     map[*kustomization]*content
	building  []*kustomization
}

// content holds the images of a kustomization.
type content struct {
	images  []Image
	partial bool // it uses what is not among the files
}

func newBuild() *build {
	return &build{byPath: make(map[string]*manifest), used: make(map[*manifest]bool), built: make(map[*kustomization]*content)}
}

func (b *build) add(m *manifest, path string) {
	b.manifests = append(b.manifests, m)
	b.byPath[path] = m
}

// found returns the images of the files that no kustomization uses, and of the kustomizations
// that no other one uses.
func (b *build) found() *Found {
	for _, m := range b.manifests {
		for _, k := range m.kustomizations {
			b.content(k)
		}
	}
	for _, m := range b.manifests {
		if b.used[m] {
			continue
		}
		if len(m.kustomizations) == 0 {
			b.result.Images = append(b.result.Images, m.images...)
		}
		for _, k := range m.kustomizations {
			b.result.Images = append(b.result.Images, b.content(k).images...)
		}
	}
	b.result.Images = distinct(b.result.Images)
	b.check()
	b.result.inOrder()
	return &b.result
}

// check moves the images whose names are not complete to the faults.
func (b *build) check() {
	b.result.Images = slices.DeleteFunc(b.result.Images, func(i Image) bool {
		err := unresolved(i.Name)
		if err != nil {
			b.result.Faults = append(b.result.Faults, Fault{i.Place, err})
		}
		return err != nil
	})
}

// maxImages bounds the images of a kustomization. Each level of kustomizations that use each
// other twice can double them.
const maxImages = 50_000

// content returns the images of a kustomization and of all that it uses.
func (b *build) content(k *kustomization) *content {
	if c := b.built[k]; c != nil {
		return c
	}
	if slices.Contains(b.building, k) {
		b.result.Faults = append(b.result.Faults, Fault{k.place, errors.New("the kustomization uses itself")})
		return &content{}
	}
	b.building = append(b.building, k)
	c := new(content)
	for _, u := range k.uses {
		b.include(k, u, c)
	}
	c.images = append(c.images, k.manifest.images...)
	for _, u := range k.components {
		for _, component := range b.include(k, u, c) {
			b.override(component, c)
		}
	}
	b.override(k, c)
	if c.images = distinct(c.images); len(c.images) > maxImages {
		b.result.Faults = append(b.result.Faults, Fault{k.place, fmt.Errorf("the kustomization has more than %d images", maxImages)})
		c.images = nil
	}
	b.built[k], b.building = c, b.building[:len(b.building)-1]
	return c
}

// include adds the images of a file or a folder, and returns the kustomizations in it.
func (b *build) include(k *kustomization, u use, c *content) []*kustomization {
	m := b.lookUp(path.Join(path.Dir(k.manifest.file), u.path))
	if m == nil {
		c.partial = true
		b.result.Skipped = append(b.result.Skipped, Skipped{Name: u.path, Reason: "it is not one of the files", Place: u.Place})
		return nil
	}
	if m == k.manifest {
		b.result.Faults = append(b.result.Faults, Fault{u.Place, errors.New("the kustomization uses itself")})
		return nil
	}
	b.used[m] = true
	if len(m.kustomizations) == 0 {
		c.images = append(c.images, m.images...)
	}
	for _, inner := range m.kustomizations {
		more := b.content(inner)
		c.images = append(c.images, more.images...)
		c.partial = c.partial || more.partial
	}
	return m.kustomizations
}

// lookUp returns the file at a path, or the kustomization of the folder there; nil if neither
// is among the files.
func (b *build) lookUp(at string) *manifest {
	if m := b.byPath[at]; m != nil {
		return m
	}
	for _, name := range kustomizationFiles {
		if m := b.byPath[path.Join(at, name)]; m != nil {
			return m
		}
	}
	return nil
}

// override applies the overrides of a kustomization. One that matches nothing counts with its
// own result if some of the files are not known.
func (b *build) override(k *kustomization, c *content) {
	c.images = slices.Clone(c.images) // another kustomization may have them too
	for _, o := range k.overrides {
		matched := false
		for i := range c.images {
			if image := &c.images[i]; !image.fixed && o.matches(image.Name) {
				image.Name, matched = o.replace(image.Name), true
			}
		}
		switch {
		case matched || !c.partial:
		case o.result() != "":
			c.images = append(c.images, Image{Name: o.result(), Place: o.Place})
		default:
			b.result.Skipped = append(b.result.Skipped, Skipped{Name: o.name, Reason: "it has no newTag and no digest, and is in none of the files", Place: o.Place})
		}
	}
}

// distinct removes images that occur twice in one place.
func distinct(images []Image) []Image {
	type key struct {
		name string
		at   Place
	}
	seen := make(map[key]bool, len(images))
	kept := images[:0:0]
	for _, i := range images {
		if k := (key{i.Name, i.position()}); !seen[k] {
			seen[k] = true
			kept = append(kept, i)
		}
	}
	return kept
}
