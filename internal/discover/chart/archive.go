package chart

import (
	"archive/tar"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"path"
	"regexp"
	"strings"
)

const (
	// maxUnpacked is helm's limit for all files of a chart, with its dependencies.
	maxUnpacked = 100 << 20
	// maxFile bounds a file that is kept in memory. Real ones have some KiB.
	maxFile = 5 << 20
	// maxNested bounds archives within archives.
	maxNested = 8
)

// The files of a chart that are read.
const (
	metadataFile     = "Chart.yaml"
	requirementsFile = "requirements.yaml" // the dependencies of a chart from the days of helm 2
	lockFile         = "Images.lock"
)

// contents holds the files that are read, by the path of their chart ("" or charts/mariadb) and
// their name.
type contents struct {
	left  int64 // bytes that may still be unpacked
	kept  int64 // bytes of files
	files map[string]map[string][]byte
}

// archive reads the chart in an archive, which is at a path in the outermost one.
func (c *contents) archive(r io.Reader, at string, depth int) error {
	fail := func(err error) error { return &FormatError{Where: at, Err: err} }
	unzipped, err := gzip.NewReader(r)
	if err != nil {
		return fail(fmt.Errorf("it is not a .tgz: %w", err))
	}
	bounded := &budget{Reader: unzipped, left: &c.left}
	in := tar.NewReader(bounded)
	for {
		header, err := in.Next()
		switch {
		case bounded.spent:
			return fail(errTooLarge)
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return fail(err)
		}
		if header.FileInfo().IsDir() || header.Typeflag == tar.TypeXGlobalHeader || header.Typeflag == tar.TypeXHeader {
			continue
		}
		name, err := fileName(header.Name)
		if err != nil {
			return fail(err)
		}
		err = c.file(in, at, name, depth)
		switch {
		case bounded.spent:
			return fail(errTooLarge)
		case err != nil:
			return err
		}
	}
}

// file reads a file, if it is one that counts, or the chart in it.
func (c *contents) file(in io.Reader, at, name string, depth int) error {
	chart, name, ok := splitChart(name)
	if !ok {
		return nil
	}
	if at != "" && chart != "" {
		chart = at + "/" + chart
	} else {
		chart += at
	}
	if path.Ext(name) == ".tgz" {
		inner := within(chart, strings.TrimSuffix(name, ".tgz"))
		if depth == maxNested {
			return &FormatError{Where: inner, Err: fmt.Errorf("charts nested more than %d levels deep", maxNested)}
		}
		return c.archive(in, inner, depth+1)
	}
	data, err := io.ReadAll(io.LimitReader(in, maxFile+1))
	if err == nil && int64(len(data)) > maxFile {
		err = fmt.Errorf("larger than %d MiB", maxFile>>20)
	}
	if c.kept += int64(len(data)); err == nil && c.kept > 2*maxFile {
		err = fmt.Errorf("more than %d MiB of metadata in all charts", 2*maxFile>>20)
	}
	if err != nil {
		return &FormatError{Where: within(chart, name), Err: err}
	}
	if c.files[chart] == nil {
		c.files[chart] = make(map[string][]byte)
	}
	c.files[chart][name] = data
	return nil
}

// splitChart splits a path into that of its chart and a file that counts: charts/db/Chart.yaml
// into charts/db and Chart.yaml, charts/db-1.2.3.tgz into "" and itself.
func splitChart(name string) (chart, file string, ok bool) {
	parts := strings.Split(name, "/")
	for len(parts) > 2 && parts[0] == "charts" && !ignored(parts[1]) {
		chart, parts = within(chart, parts[0]+"/"+parts[1]), parts[2:]
	}
	switch file = strings.Join(parts, "/"); {
	case file == metadataFile, file == requirementsFile, file == lockFile:
		return chart, file, true
	case len(parts) == 2 && parts[0] == "charts" && !ignored(parts[1]) && path.Ext(file) == ".tgz":
		return chart, file, true
	}
	return "", "", false
}

// ignored reports whether helm takes no notice of an entry of charts/.
func ignored(name string) bool { return strings.IndexAny(name, "_.") == 0 }

// drive matches a path of Windows with a drive.
var drive = regexp.MustCompile(`^[a-zA-Z]:/`)

// fileName returns the path of a file below the folder that an archive has for its chart. It
// returns an error for a path that helm refuses.
func fileName(written string) (string, error) {
	folder, name, _ := strings.Cut(strings.ReplaceAll(written, `\`, "/"), "/")
	if folder == metadataFile {
		return "", fmt.Errorf("%s is not in a folder", metadataFile)
	}
	clean := path.Clean(name)
	if clean == "." || path.IsAbs(name) || clean == ".." || strings.HasPrefix(clean, "../") || drive.MatchString(clean) {
		return "", fmt.Errorf("invalid path %q", written)
	}
	return clean, nil
}

// budget is a reader that ends when a number of bytes is spent.
type budget struct {
	io.Reader
	left  *int64
	spent bool
}

func (b *budget) Read(p []byte) (int, error) {
	if *b.left <= 0 {
		b.spent = true
		return 0, errTooLarge
	}
	n, err := b.Reader.Read(p[:min(int64(len(p)), *b.left)])
	*b.left -= int64(n)
	return n, err
}
