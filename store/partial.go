package store

import (
	"bufio"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/internal/atomicfile"
	"github.com/oras-mirror/oras-mirror/internal/disk"
	"github.com/oras-mirror/oras-mirror/store/bundle"
)

// partial is an archive in a file, which gets its name when it is complete.
type partial struct {
	name        string // as the user wrote it
	target      string // the file to replace: name, or what that links to
	lock        *disk.FileLock
	file        *os.File            // target.partial, locked
	writer      *disk.WritebackFile // writes to it
	buffer      *bufio.Writer
	madeFolders []string // folders that this run created, innermost first
}

// openArchive starts a bundle in a file: it writes path.partial, locks it, and renames it
// when it is complete. If path is a symbolic link, the file that it leads to is replaced.
// For a second process the error is a *disk.LockedError. With resume, the content of
// path.partial is kept as far as this run writes the same.
func openArchive(path string, c bundle.Compression, resume bool, interrupted func() error) (*Archive, error) {
	p := &partial{name: path, target: disk.FollowLinks(path)}
	if err := p.create(); err != nil {
		removeFolders(p.madeFolders)
		return nil, outputError(path, err)
	}
	a := newArchive(p, c)
	if !resume {
		return a, p.cut(0)
	}
	info, err := p.file.Stat()
	if err != nil {
		return nil, errors.Join(err, p.leave())
	}
	if a.replay, err = recoverPartial(interruptibleReaderAt{p.file, interrupted}, info.Size(), c); err != nil {
		return nil, errors.Join(outputError(path, err), p.leave())
	}
	if a.replay == nil {
		return a, p.cut(0)
	}
	return a, nil
}

// unfinished returns the path of the file until it is complete.
func (p *partial) unfinished() string { return p.target + ".partial" }

// cut truncates the file, and sets the position for writing to its end.
func (p *partial) cut(end int64) error {
	if err := p.file.Truncate(end); err != nil {
		return err
	}
	_, err := p.file.Seek(end, io.SeekStart)
	return err
}

func (p *partial) create() (err error) {
	if info, err := os.Stat(p.target); err == nil && info.IsDir() {
		return errors.New("is a directory")
	}
	if err := checkReplaced(p.target); err != nil {
		return err
	}
	if p.madeFolders, err = makeFolders(filepath.Dir(p.target)); err != nil {
		return err
	}
	if p.lock, err = disk.Lock(p.unfinished()); err != nil {
		return err
	}
	if err := checkOwnArchive(p.lock.File, p.unfinished()); err != nil {
		return errors.Join(err, p.lock.Release())
	}
	p.file = p.lock.File
	p.writer = &disk.WritebackFile{File: p.file}
	p.buffer = bufio.NewWriterSize(p.writer, 256<<10)
	return nil
}

// smallWrite is the size below which writes are buffered: a larger copy costs more than
// the system call that it saves.
const smallWrite = 32 << 10

func (p *partial) Write(b []byte) (int, error) {
	if len(b) < smallWrite {
		return p.buffer.Write(b)
	}
	if err := p.buffer.Flush(); err != nil {
		return 0, err
	}
	return p.writer.Write(b)
}

func (p *partial) begin(ocispec.Descriptor) error { return nil }

func (p *partial) encoded(out *bundle.Writer, b []byte) (int, error) { return out.Write(b) }

func (p *partial) entered() error { return nil }

func (p *partial) rollback(out *bundle.Writer) error {
	begin := out.Discard()
	if err := p.buffer.Flush(); err != nil {
		return err
	}
	return p.cut(begin)
}

func (p *partial) free() (bytes int64, ok bool) { return disk.Free(filepath.Dir(p.target)) }

func (p *partial) commit(incomplete bool) (path string, err error) {
	path, target := p.name, p.target
	if incomplete && exists(target) {
		target += ".incomplete"
		path = target
		if err := checkReplaced(target); err != nil {
			return "", errors.Join(err, p.leave())
		}
	}
	if err := p.sync(); err != nil {
		return "", errors.Join(err, p.lock.Release()) // kept for another run
	}
	if err := p.rename(target); err != nil {
		return "", outputError(path, err)
	}
	return path, atomicfile.Sync(filepath.Dir(target))
}

// sync brings everything to the disk, and checks that the file is still in its place.
func (p *partial) sync() error {
	if err := errors.Join(p.buffer.Flush(), atomicfile.SyncFile(p.file)); err != nil {
		return err
	}
	if !disk.InPlace(p.file, p.unfinished()) {
		return &GoneError{Path: p.unfinished()}
	}
	return nil
}

// rename gives the file its name.
func (p *partial) rename(target string) error {
	return p.lock.ReleaseAfter(func() error { return os.Rename(p.unfinished(), target) })
}

// rest frees the memory of a file that is written no more but for its end.
func (p *partial) rest() error {
	err := p.buffer.Flush()
	p.buffer = bufio.NewWriterSize(p.writer, 16)
	return err
}

// CheckReplaced returns a *disk.StrangerError if path, or what it links to, is a file that
// Create does not replace: one that oras-mirror did not write and that is not empty.
func CheckReplaced(path string) error { return checkReplaced(disk.FollowLinks(path)) }

// checkReplaced is CheckReplaced for a path that is not a link.
func checkReplaced(path string) error {
	f, err := disk.OpenOwn(path, os.O_RDONLY)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return errors.Join(checkOwnArchive(f, path), f.Close())
}

func (p *partial) abort() error {
	err := p.lock.ReleaseAfter(func() error { return os.Remove(p.unfinished()) })
	removeFolders(p.madeFolders)
	return err
}

func (p *partial) leave() error {
	return errors.Join(p.buffer.Flush(), p.lock.Release())
}

func (p *partial) path() string { return p.name }
