package cli

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/engine/backup"
	"github.com/oras-mirror/oras-mirror/engine/shard"
	"github.com/oras-mirror/oras-mirror/internal/exit"
	"github.com/oras-mirror/oras-mirror/internal/filetype"
	"github.com/oras-mirror/oras-mirror/internal/overwrite"
	"github.com/oras-mirror/oras-mirror/store"
	"github.com/oras-mirror/oras-mirror/store/bundle"
	"github.com/oras-mirror/oras-mirror/store/parts"
)

// output is the place that a backup writes to.
type output struct {
	path     string // "" where neither flag nor spec names one, "-" for standard output
	setting  string // names it: the flag, or the key of the spec
	partSize int64  // of --part-size, in bytes; 0 without it
}

// outputOf returns the output that the flag names, or else the spec, for a part of the plan;
// nil for all of it. All parts of a plan together have no bundle as their output.
func outputOf(flag string, spec *config.Spec, part *shard.Part) (o output, err error) {
	o, named := output{path: flag, setting: "--output"}, flag
	if flag == "" && spec != nil {
		o.setting, named = "output", spec.Output
	}
	isAll := part != nil && part.Index == shard.All
	switch {
	case isAll && strings.Contains(named, shardVariable):
		return output{setting: o.setting}, nil
	case flag != "":
		o.path, err = expandPath("--output", flag, part)
	default:
		o.path, err = spec.OutputPath(time.Now(), indexOf(part))
	}
	if unset, is := errors.AsType[*config.VariableError](err); is && unset.Name == "SHARD" {
		return o, exit.Usage("--shard I/N sets it", "%v", err)
	}
	if err != nil {
		return o, err
	}
	if isAll && o.isFile() {
		return output{setting: o.setting}, nil
	}
	return o, o.checkShard(named, part)
}

// isFile reports whether the output is an archive in a file.
func (o output) isFile() bool {
	if o.path == "" || o.path == "-" || store.IsInBucket(o.path) || os.IsPathSeparator(o.path[len(o.path)-1]) {
		return false
	}
	info, err := os.Stat(o.path)
	return err != nil || !info.IsDir()
}

// isBundleInBucket reports whether the output is an archive in a bucket.
func (o output) isBundleInBucket() bool {
	return store.IsInBucket(o.path) && !store.IsLayoutInBucket(o.path)
}

// checkParts refuses --part-size for what is not a file.
func (o output) checkParts() error {
	if o.partSize > 0 && !o.isFile() {
		return exit.Usage("name an archive with --output NAME.tgz, which becomes NAME.001.tgz and so on", "%s %s cannot be written in parts, only an archive in a file can", o.setting, o.path)
	}
	return nil
}

// mayReplace refuses to replace a file that the backup reads, or that oras-mirror did not
// write. A layout of the spec can be the output, too: everything in it is copied.
func (o output) mayReplace(read []overwrite.File) error {
	if !o.isFile() {
		return nil
	}
	read = slices.DeleteFunc(read, func(f overwrite.File) bool { return f.What == overwrite.SpecLayout })
	first, last := o.path, 0
	if o.partSize > 0 {
		first, last = parts.Path(o.path, 1), parts.Max
	}
	err := overwrite.Check(o.setting, first, filetype.Unknown, read)
	if err == nil && filetype.IsRegular(first) {
		err = store.CheckReplaced(first)
	}
	for number := 2; err == nil && number <= last; number++ {
		err = store.CheckReplaced(parts.Path(o.path, number))
	}
	return err
}

// interrupted returns what an interrupted backup left of an archive: a path, or a pattern for
// several; "" if there is nothing.
func (o output) interrupted() string {
	path, name := o.path, o.path
	if o.partSize > 0 {
		path, name = parts.Path(o.path, 1), parts.Pattern(o.path)
	}
	if _, err := os.Stat(path + ".partial"); err != nil {
		return ""
	}
	return name + ".partial"
}

// open opens the layout that the output has before a backup, if it has one to build on. It
// refuses a place that the backup would refuse.
func (o output) open(buckets store.Buckets) (present backup.Output, err error) {
	switch {
	case o.path == "" || o.path == "-":
		return backup.Output{}, nil
	case o.partSize > 0:
		plan, err := store.PlanParts(o.path, store.CreateOptions{PartSize: o.partSize})
		return backup.Output{There: openParts(o.path), Parts: plan}, err
	case o.isBundleInBucket():
		if err := store.CheckOutput(o.path, buckets); err != nil {
			return backup.Output{}, err
		}
		return backup.Output{There: openBundle(o.path, buckets)}, nil
	case store.IsInBucket(o.path):
		there, err := store.OpenLayout(o.path, store.OpenOptions{Buckets: buckets})
		if errors.Is(err, fs.ErrNotExist) {
			return backup.Output{Directory: true}, store.CheckOutput(o.path, buckets)
		}
		return backup.Output{There: there, Directory: true}, err
	case o.isFile():
		return backup.Output{There: openArchive(o.path)}, nil
	}
	if _, err := os.Stat(filepath.Join(o.path, "oci-layout")); err != nil {
		return backup.Output{Directory: true}, store.CheckOutput(o.path, buckets)
	}
	there, err := store.OpenLayout(o.path, store.OpenOptions{})
	return backup.Output{There: there, Directory: true}, err
}

// openReplaced opens the archive that is about to be replaced, for the blobs that it
// has; nil if there is none.
func (o output) openReplaced(by store.Destination, buckets store.Buckets) store.Layout {
	switch by.(type) {
	case *store.Archive:
	case *store.Parts:
		return openParts(o.path)
	default:
		return nil
	}
	if store.IsInBucket(o.path) {
		return openBundle(o.path, buckets)
	}
	return openArchive(o.path)
}

// openParts opens the parts that a backup will replace, as far as they are there; nil if there
// are none.
func openParts(path string) store.Layout {
	var paths []string
	for number := 1; number <= parts.Max; number++ {
		if part := parts.Path(path, number); filetype.Exists(part) {
			paths = append(paths, part)
		}
	}
	if len(paths) == 0 || runtime.GOOS == "windows" {
		return nil
	}
	previous, err := store.OpenUnion(paths, func(path string) (store.Layout, error) {
		return store.OpenLayout(path, store.OpenOptions{TempDir: os.DevNull})
	})
	if err != nil {
		return nil
	}
	return previous
}

// openBundle is openArchive for a bundle in a bucket.
func openBundle(path string, buckets store.Buckets) store.Layout {
	previous, err := store.OpenLayout(path, store.OpenOptions{Buckets: buckets, TempDir: os.DevNull})
	if err != nil {
		return nil
	}
	return previous
}

// openArchive opens an archive that a backup will replace. It returns nil, and no error,
// for one that cannot be read at random: the backup replaces that. Windows does not rename
// over an open file.
func openArchive(path string) store.Layout {
	info, err := os.Stat(path)
	if err != nil || !info.Mode().IsRegular() || runtime.GOOS == "windows" {
		return nil
	}
	f, err := os.Open(path)
	if err != nil {
		return nil
	}
	_, err = bundle.Open(f, info.Size())
	if closeErr := f.Close(); err != nil || closeErr != nil {
		return nil
	}
	previous, err := store.OpenLayout(path, store.OpenOptions{})
	if err != nil {
		return nil
	}
	return previous
}

// closeLayout closes a layout, which may be nil.
func closeLayout(l store.Layout) error {
	if l == nil {
		return nil
	}
	return l.Close()
}
