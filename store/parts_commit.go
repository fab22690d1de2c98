package store

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/oras-mirror/oras-mirror/internal/atomicfile"
	"github.com/oras-mirror/oras-mirror/internal/disk"
	"github.com/oras-mirror/oras-mirror/store/bundle"
	"github.com/oras-mirror/oras-mirror/store/parts"
)

// Commit completes all parts, puts them in place and returns the pattern of their paths. Parts
// of an incomplete bundle do not replace files, but are kept beside them as
// NAME.001.tgz.incomplete.
func (p *Parts) Commit(incomplete bool) (path string, err error) {
	if p.division == nil {
		return "", errors.New("no blob was announced")
	}
	path, err = p.commit(incomplete)
	_, gone := errors.AsType[*GoneError](err)
	p.left = err != nil && !gone
	return path, err
}

func (p *Parts) commit(incomplete bool) (path string, err error) {
	if err := p.openAll(); err != nil {
		return "", err
	}
	for _, part := range p.parts {
		if err := part.finish(); err != nil {
			return "", p.inPart(part, err)
		}
		if err := part.medium.(*partial).sync(); err != nil {
			return "", err
		}
	}
	suffix := ""
	if incomplete && p.replaces() {
		suffix = ".incomplete"
	}
	for _, part := range p.parts {
		if err := checkReplaced(part.medium.(*partial).target + suffix); err != nil {
			return "", err
		}
	}
	p.closed = true
	if err := p.rename(suffix); err != nil {
		return "", err
	}
	if err := p.removeOthers(suffix, isPart); err != nil {
		return "", err
	}
	if err := p.list(suffix); err != nil {
		return "", err
	}
	return parts.Pattern(p.path) + suffix, atomicfile.Sync(filepath.Dir(p.parts[0].medium.(*partial).target))
}

// list records the files that were written.
func (p *Parts) list(suffix string) error {
	for number := range p.division.Parts {
		path := parts.Path(p.path, number+1) + suffix
		info, err := os.Stat(path)
		if err != nil {
			return outputError(path, err)
		}
		p.written = append(p.written, WrittenPart{path, info.Size()})
	}
	return nil
}

// Written returns the files that Commit put in place.
func (p *Parts) Written() []WrittenPart { return p.written }

// rename gives the parts their names, one after the other. Those that have no name yet when it
// fails stay resumable.
func (p *Parts) rename(suffix string) error {
	var failed error
	for _, part := range p.parts {
		part.closed = true
		file := part.medium.(*partial)
		if failed != nil {
			failed = errors.Join(failed, file.leave())
		} else if err := file.rename(file.target + suffix); err != nil {
			failed = p.inPart(part, err)
		}
	}
	return failed
}

// replaces reports whether there is a file in the place of a part.
func (p *Parts) replaces() bool {
	for number := 1; number <= parts.Max; number++ {
		if exists(parts.Path(p.path, number)) {
			return true
		}
	}
	return false
}

// removeOthers removes the files with the names of further parts: those of a bundle of more
// parts that this one replaces.
func (p *Parts) removeOthers(suffix string, ours func(path string) bool) error {
	for number := p.division.Parts + 1; number <= parts.Max; number++ {
		path := parts.Path(p.path, number) + suffix
		if !exists(path) || !ours(path) {
			continue
		}
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return outputError(path, err)
		}
	}
	return nil
}

// isPart reports whether a file is a part of a bundle.
func isPart(path string) bool {
	f, err := disk.OpenOwn(path, os.O_RDONLY)
	if err != nil {
		return false
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil || !info.Mode().IsRegular() {
		return false
	}
	r, err := bundle.Open(f, info.Size())
	if err != nil {
		return false
	}
	part, err := parts.FileOf(r)
	return err == nil && part != nil
}

// removePartials removes what an interrupted run with smaller parts left beyond those of this
// run.
func (p *Parts) removePartials() error {
	return p.removeOthers(".partial", func(path string) bool {
		lock, err := disk.Lock(path)
		if err != nil {
			return false
		}
		err = checkOwnArchive(lock.File, path)
		return errors.Join(err, lock.Release()) == nil
	})
}

// Abort removes what was written.
func (p *Parts) Abort() (err error) {
	if p.closed {
		return nil
	}
	p.closed = true
	for i := len(p.parts) - 1; i >= 0; i-- { // the folders go with the first
		err = errors.Join(err, p.parts[i].Abort())
	}
	return err
}

// Close aborts a bundle without a Commit, but keeps what a later run can resume.
func (p *Parts) Close() error {
	if p.closed {
		return nil
	}
	worth := false
	for _, part := range p.parts {
		worth = worth || part.worth || part.replay != nil
	}
	if !worth {
		return p.Abort()
	}
	p.closed, p.left = true, true
	var err error
	for _, part := range p.parts {
		part.closed, part.left = true, true
		err = errors.Join(err, part.medium.leave())
	}
	return err
}
