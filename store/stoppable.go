package store

import "io"

// What stands on a disk already is read whole before it counts: of hundreds of
// gigabytes that takes minutes, in which a user may want to end the run. These
// readers ask before each Read whether it is to go on; a nil stop always does.
type (
	stoppableReader struct {
		io.Reader
		stop func() error
	}
	stoppableAt struct {
		io.ReaderAt
		stop func() error
	}
)

func (s stoppableReader) Read(p []byte) (int, error) {
	if err := asked(s.stop); err != nil {
		return 0, err
	}
	return s.Reader.Read(p)
}

func (s stoppableAt) ReadAt(p []byte, off int64) (int, error) {
	if err := asked(s.stop); err != nil {
		return 0, err
	}
	return s.ReaderAt.ReadAt(p, off)
}

// goOn ends hashing where the run is to end.
func (d *Dir) goOn(int64) error { return asked(d.interrupted) }

func asked(stop func() error) error {
	if stop == nil {
		return nil
	}
	return stop()
}
