package store

import "io"

// What stands on a disk already is read whole before it counts: of hundreds of
// gigabytes that takes minutes, in which a user may want to end the run. These
// readers ask before each Read whether it is to go on; a nil stop always does.
type (
	interruptibleReader struct {
		io.Reader
		interrupted func() error
	}
	interruptibleReaderAt struct {
		io.ReaderAt
		interrupted func() error
	}
)

func (s interruptibleReader) Read(p []byte) (int, error) {
	if err := interruption(s.interrupted); err != nil {
		return 0, err
	}
	return s.Reader.Read(p)
}

func (s interruptibleReaderAt) ReadAt(p []byte, off int64) (int, error) {
	if err := interruption(s.interrupted); err != nil {
		return 0, err
	}
	return s.ReaderAt.ReadAt(p, off)
}

// goOn ends hashing where the run is to end.
func (d *Dir) checkInterrupted(int64) error { return interruption(d.interrupted) }

func interruption(stop func() error) error {
	if stop == nil {
		return nil
	}
	return stop()
}
