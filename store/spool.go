package store

import (
	"bufio"
	"errors"
	"io"

	"github.com/oras-mirror/oras-mirror/internal/disk"
	"github.com/oras-mirror/oras-mirror/store/bundle"
)

// spool is a plain tar in a temporary file: a copy of an archive that can be read only
// once and needs random access.
type spool struct {
	file   *disk.TempFile
	buffer *bufio.Writer
	out    *bundle.Writer
	docker *DockerArchiveError // the docker-archive that it is without a layout; may be nil
}

// spoolAll copies an archive from its first byte.
func spoolAll(r io.Reader, size int64, o OpenOptions) (Layout, error) {
	in, err := newStream(r)
	if err != nil {
		return nil, err
	}
	defer in.Close()
	s, err := newSpool(size, o)
	if err != nil {
		return nil, err
	}
	return s.finish(s.addAll(in))
}

// newStream is bundle.NewStream, with an error for an empty input.
func newStream(r io.Reader) (*bundle.Stream, error) {
	b := bufio.NewReader(r)
	if _, err := b.Peek(1); err == io.EOF {
		return nil, errEmpty
	}
	return bundle.NewStream(b)
}

func newSpool(size int64, o OpenOptions) (*spool, error) {
	if o.Spooling != nil {
		o.Spooling(size)
	}
	file, err := disk.CreateTemp(o.TempDir)
	if err != nil {
		return nil, &OutputError{Path: tempDir(o), Err: err}
	}
	buffer := bufio.NewWriterSize(file, 256<<10)
	return &spool{file: file, buffer: buffer, out: bundle.NewWriter(buffer, bundle.None)}, nil
}

// addAll adds the remaining entries of in.
func (s *spool) addAll(in *bundle.Stream) error {
	for {
		name, size, err := in.Next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if err := s.add(name, size, in); err != nil {
			return err
		}
	}
}

// add adds one entry, if it belongs to a layout.
func (s *spool) add(name string, size int64, content io.Reader) error {
	if name == dockerManifest {
		s.docker = readDockerArchive(content)
		return nil
	}
	if !bundle.IsName(name) {
		return nil
	}
	if err := s.out.Begin(name); err != nil {
		return err
	}
	entry := bundle.NewEncoder(bundle.None, name, size, func(p []byte) error {
		_, err := s.out.Write(p)
		return err
	})
	if _, err := io.Copy(entry, content); err != nil {
		return err
	}
	if err := entry.Close(); err != nil {
		return err
	}
	return s.out.End()
}

// finish opens the copy, or removes it if copying failed.
func (s *spool) finish(err error) (Layout, error) {
	l, err := s.open(err)
	if errors.Is(err, errNoLayout) && s.docker != nil {
		err = s.docker
	}
	if err != nil {
		return nil, errors.Join(err, s.file.Close())
	}
	return l, nil
}

func (s *spool) open(err error) (*archiveLayout, error) {
	if err == nil {
		err = s.out.Close()
	}
	if err == nil {
		err = s.buffer.Flush()
	}
	if err != nil {
		return nil, err
	}
	info, err := s.file.Stat()
	if err != nil {
		return nil, err
	}
	r, err := bundle.Open(s.file, info.Size())
	if err != nil {
		return nil, err
	}
	return openArchiveLayout(r, s.file)
}
