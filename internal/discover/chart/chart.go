// Package chart reads packaged Helm charts: the metadata of Chart.yaml, and the images that a
// chart and its dependencies name in annotations and in Images.lock.
//
// It is pure and never unpacks to a disk. What a chart may have is bounded as in helm.
package chart

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// Chart is a packaged chart.
type Chart struct {
	Metadata Metadata
	Images   []Image // those of the chart, then those of its dependencies; a name may occur twice
}

// Image is an image that a chart names.
type Image struct {
	Name string // as written, such as nginx:1.25
	From string // "annotation" or "Images.lock", for a dependency "charts/mariadb, annotation"
}

// FormatError reports an archive that is not a chart as helm reads it.
type FormatError struct {
	Where string // a file in the archive, or an annotation; "" for the archive
	Err   error
}

func (e *FormatError) Error() string {
	if e.Where == "" {
		return "not a valid chart: " + e.Err.Error()
	}
	return "not a valid chart: " + e.Where + ": " + e.Err.Error()
}

func (e *FormatError) Unwrap() error { return e.Err }

// ImagesError reports a list of images that cannot be read. The chart itself is valid.
type ImagesError struct {
	Where string
	Err   error
}

func (e *ImagesError) Error() string { return e.Where + ": " + e.Err.Error() }
func (e *ImagesError) Unwrap() error { return e.Err }

// Read reads a chart from a .tgz. It may leave the end of r unread. An error of r is returned
// as it is; all others are a [*FormatError] or an [*ImagesError].
func Read(r io.Reader) (*Chart, error) {
	in := &failing{Reader: r}
	found := &contents{left: maxUnpacked, files: make(map[string]map[string][]byte)}
	err := found.archive(in, "", 0)
	if in.err != nil {
		return nil, in.err
	}
	if err != nil {
		return nil, err
	}
	return found.chart()
}

// failing keeps the error of a reader, which gzip and tar wrap or replace.
type failing struct {
	io.Reader
	err error
}

func (f *failing) Read(p []byte) (int, error) {
	n, err := f.Reader.Read(p)
	if err != nil && err != io.EOF {
		f.err = err
	}
	return n, err
}

// chart parses the files that were found.
func (c *contents) chart() (*Chart, error) {
	if c.files[""][metadataFile] == nil {
		return nil, &FormatError{Err: errors.New("it has no " + metadataFile)}
	}
	all := new(Chart)
	charts := make([]string, 0, len(c.files))
	for at := range c.files {
		charts = append(charts, at)
	}
	slices.SortFunc(charts, func(a, b string) int {
		return cmp.Or(strings.Count(a, "/")-strings.Count(b, "/"), strings.Compare(a, b))
	})
	var faults error
	for _, at := range charts {
		files := c.files[at]
		if files[metadataFile] == nil {
			continue // a folder in charts/ that is no chart, which helm would refuse if it used it
		}
		m, err := parseMetadata(at, files)
		if err != nil {
			return nil, err
		}
		if at == "" {
			all.Metadata = *m
		}
		images, err := imagesOf(at, m, files[lockFile])
		all.Images = append(all.Images, images...)
		faults = cmp.Or(faults, err)
	}
	if faults != nil {
		return all, faults
	}
	return all, nil
}

// within returns the path of a file of a chart in the archive.
func within(at, name string) string {
	if at == "" {
		return name
	}
	return at + "/" + name
}

// errTooLarge reports a chart that unpacks to more than helm accepts.
var errTooLarge = fmt.Errorf("it unpacks to more than %d MiB", maxUnpacked>>20)
