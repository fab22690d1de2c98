package store

import "io"

// Existing content is read as a whole before it counts. For hundreds of gigabytes that
// takes minutes, during which a user may end the run. These readers call interrupted
// before each Read and return its error; it may be nil.
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

func interruption(stop func() error) error {
	if stop == nil {
		return nil
	}
	return stop()
}
