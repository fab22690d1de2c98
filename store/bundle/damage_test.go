package bundle

import (
	"bytes"
	"testing"
)

// TestTruncation cuts a small archive at every byte: no reader may take a part
// for the whole. Its last blob ends in zeros, like a tar.
func TestTruncation(t *testing.T) {
	files := append(small()[:3], blobFile(make([]byte, tarBlock)))
	for _, c := range []Compression{Gzip, None} {
		archive := write(t, c, files)
		for n := range len(archive) {
			for kind, read := range readers(archive[:n]) {
				got, err := read()
				switch {
				case err != nil:
					checkError(t, err)
				case c == Gzip && n != len(withoutTable(archive)), c == None && n != len(archive)-tarBlock:
					t.Errorf("compression %d, %d of %d bytes %s: %d entries and no error", c, n, len(archive), kind, len(got))
				default: // all but the table, or one of two blocks of zeros
					equal(t, newest(files), newest(got))
				}
			}
		}
	}
}

func readers(p []byte) map[string]func() ([]file, error) {
	return map[string]func() ([]file, error){
		"as a stream": func() ([]file, error) { return readStream(bytes.NewReader(p)) },
		"at random":   func() ([]file, error) { return readRandom(p) },
	}
}

// TestFlippedBit changes every byte of a small archive: the content is either
// what was written or an error.
func TestFlippedBit(t *testing.T) {
	files := []file{{LayoutFile, []byte("{}")}, blobFile([]byte("one")), {IndexFile, []byte("{}")}, blobFile([]byte("BZh two"))}
	archive := write(t, Gzip, files)
	for i := range archive {
		broken := bytes.Clone(archive)
		broken[i] ^= 0x10
		for _, read := range []func() ([]file, error){
			func() ([]file, error) { return readStream(bytes.NewReader(broken)) },
			func() ([]file, error) { return readRandom(broken) },
		} {
			got, err := read()
			if err != nil {
				continue
			}
			for j, f := range got {
				if j >= len(files) || f.name != files[j].name || !bytes.Equal(f.data, files[j].data) {
					t.Errorf("byte %d: entry %d reads as %q %q", i, j, f.name, f.data)
				}
			}
		}
	}
}
