package store

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"testing"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/store/bundle"
	"github.com/oras-mirror/oras-mirror/store/oci"
)

// partsRun writes a sample in parts. It stops after stop bytes of blobs, if that is not 0.
type partsRun struct {
	*Parts
	rest int64 // before it stops
}

var errStop = errors.New("stopped")

func (r *partsRun) Write(p []byte) (int, error) {
	if r.rest > 0 && r.rest <= int64(len(p)) {
		p = p[:r.rest]
		n, err := r.Parts.Write(p)
		return n, cmpErr(err, errStop)
	}
	r.rest = max(0, r.rest-int64(len(p)))
	return r.Parts.Write(p)
}

func cmpErr(a, b error) error {
	if a != nil {
		return a
	}
	return b
}

func newParts(t *testing.T, path string, size int64) *Parts {
	t.Helper()
	d, err := Create(path, CreateOptions{PartSize: size})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	return d.(*Parts)
}

// writeParts writes all of a sample but its end, and returns the bytes that were not there.
func (s *sample) writeParts(t *testing.T, p *Parts, stop int64) (fresh int64, err error) {
	t.Helper()
	for _, m := range s.manifests {
		if err := p.PutManifest(m.desc, m.data); err != nil {
			t.Fatal(err)
		}
	}
	if err := p.PutIndex(s.index); err != nil {
		t.Fatal(err)
	}
	var all []ocispec.Descriptor
	for _, b := range s.blobs {
		all = append(all, b.desc)
	}
	if err := p.Expect(slices.Values(all)); err != nil {
		return 0, err
	}
	run := &partsRun{p, stop}
	resuming := true
	for _, b := range s.blobs {
		n, err := run.put(b, &resuming)
		if fresh += n; err != nil {
			return fresh, err
		}
	}
	return fresh, nil
}

func (r *partsRun) put(b item, resuming *bool) (fresh int64, err error) {
	var skip int64
	var head io.ReadCloser
	if *resuming {
		stored, err := r.Stored(b.desc)
		if err != nil || stored {
			return 0, err
		}
		*resuming = false
		if head, skip, err = r.Continue(b.desc); err != nil {
			return 0, err
		}
	}
	had := 0
	if head != nil {
		got, err := io.ReadAll(head)
		if err := cmpErr(err, head.Close()); err != nil {
			return 0, err
		}
		if !bytes.HasPrefix(b.data, got) {
			return 0, fmt.Errorf("%d other bytes are there", len(got))
		}
		had = len(got)
	} else if err := r.Begin(b.desc); err != nil {
		return 0, err
	}
	e := r.Encoder(b.desc, func(p []byte) error {
		n := min(skip, int64(len(p)))
		skip -= n
		if p = p[n:]; len(p) == 0 {
			return nil
		}
		_, err := r.Write(p)
		return err
	})
	for rest := b.data; len(rest) > 0; {
		n := min(len(rest), 30_000)
		if _, err := e.Write(rest[:n]); err != nil {
			return 0, err
		}
		rest = rest[n:]
	}
	if err := e.Close(); err != nil {
		return 0, err
	}
	return int64(len(b.data) - had), r.End()
}

func commitParts(t *testing.T, p *Parts, incomplete bool) string {
	t.Helper()
	path, err := p.Commit(incomplete)
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// folderOf returns the files of a folder with their contents.
func folderOf(t *testing.T, folder string) map[string]string {
	t.Helper()
	all := make(map[string]string)
	for _, name := range names(t, folder) {
		all[name] = string(readFile(t, filepath.Join(folder, name)))
	}
	return all
}

// partSamples have blobs that are cut into two pieces and more, in the middle and at the ends.
func partSample(t *testing.T) *sample {
	t.Helper()
	s := sampleWith(t, 100_003)
	large := s.image(t, "large", nil, layer(7, 2<<20+11), bytes.Repeat([]byte("text"), 100_000), layer(8, 30_000))
	s.put(large, "example.com/app:large")
	return s
}

// TestPartsAreBundles writes parts of many sizes. Each is a bundle, within the size, and begins
// like the others. Together they have every byte.
func TestPartsAreBundles(t *testing.T) {
	s := partSample(t)
	for name := range compressions {
		for _, size := range []int64{64 << 10, 150_000, 600_000, 1<<20 + 513, 64 << 20} {
			folder := t.TempDir()
			p := newParts(t, filepath.Join(folder, name), size)
			if _, err := s.writeParts(t, p, 0); err != nil {
				t.Fatalf("%s in parts of %d: %v", name, size, err)
			}
			if got, want := commitParts(t, p, false), PartsPattern(filepath.Join(folder, name)); got != want {
				t.Errorf("committed %s, want %s", got, want)
			}
			files := names(t, folder)
			content := make(map[string][]byte)
			for i, file := range files {
				if want := PartPath(name, i+1); file != want {
					t.Fatalf("found %s, want %s", file, want)
				}
				data := readFile(t, filepath.Join(folder, file))
				if int64(len(data)) > size {
					t.Errorf("%s of %d has %d bytes, more than %d", file, len(files), len(data), size)
				}
				readEntries(t, data, content)
				l := openLayoutAt(t, filepath.Join(folder, file), OpenOptions{})
				if len(l.Index().Entries) != len(s.index.Entries) {
					t.Errorf("%s lists %d entries", file, len(l.Index().Entries))
				}
				for _, m := range s.manifests {
					if got, err := ReadManifest(l, m.desc); err != nil || !bytes.Equal(got, m.data) {
						t.Errorf("%s: %v", file, err)
					}
				}
			}
			for _, b := range s.blobs {
				if got := joinPieces(content, b.desc); !bytes.Equal(got, b.data) {
					t.Errorf("%s in %d parts of %d: a blob of %d bytes has %d", name, len(files), size, len(b.data), len(got))
				}
			}
		}
	}
}

// readEntries adds the entries of an archive to a map. One that is there with other content is
// an error, but for part.json.
func readEntries(t *testing.T, archive []byte, all map[string][]byte) {
	t.Helper()
	in, err := bundle.NewStream(bytes.NewReader(archive))
	if err != nil {
		t.Fatal(err)
	}
	for {
		name, _, err := in.Next()
		if err == io.EOF {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(in)
		if err != nil {
			t.Fatal(err)
		}
		if before, ok := all[name]; ok && name != bundle.PartFile && !bytes.Equal(before, data) {
			t.Errorf("two parts have different files %s", name)
		}
		all[name] = data
	}
}

// joinPieces returns a blob as `cat` makes it of files in the order of their names.
func joinPieces(all map[string][]byte, desc ocispec.Descriptor) []byte {
	if data, ok := all[bundle.BlobName(desc.Digest)]; ok {
		return data
	}
	var pieces []string
	for name := range all {
		if d, _, ok := bundle.ParsePieceName(name); ok && d == desc.Digest {
			pieces = append(pieces, name)
		}
	}
	slices.Sort(pieces)
	var data []byte
	for _, name := range pieces {
		data = append(data, all[name]...)
	}
	return data
}

// TestPartsAreTheSameAgain writes the same twice, and once after a run that was stopped at any
// byte: the parts are the same, byte for byte.
func TestPartsAreTheSameAgain(t *testing.T) {
	s := partSample(t)
	var total int64
	for _, b := range s.blobs {
		total += b.desc.Size
	}
	for name := range compressions {
		folder := t.TempDir()
		p := newParts(t, filepath.Join(folder, name), 600_000)
		if _, err := s.writeParts(t, p, 0); err != nil {
			t.Fatal(err)
		}
		commitParts(t, p, false)
		want := folderOf(t, folder)
		if len(want) < 5 {
			t.Fatalf("only %d parts", len(want))
		}
		for stop := int64(1); stop < total; stop += total/7 + 1 {
			folder := t.TempDir()
			p := newParts(t, filepath.Join(folder, name), 600_000)
			if _, err := s.writeParts(t, p, stop); err == nil {
				break // what compresses is less
			} else if !errors.Is(err, errStop) {
				t.Fatal(err)
			}
			kill(t, p)
			again := newParts(t, filepath.Join(folder, name), 600_000)
			fresh, err := s.writeParts(t, again, 0)
			if err != nil {
				t.Fatalf("%s stopped at %d: %v", name, stop, err)
			}
			commitParts(t, again, false)
			if got := folderOf(t, folder); !equalFolders(t, got, want) {
				t.Fatalf("%s stopped at %d: other parts", name, stop)
			}
			// A plain tar loses the entry that was cut, a member archive at most a member.
			if lost := fresh - (total - stop); lost > 1<<20+256<<10 {
				t.Errorf("%s stopped at %d: fetched %d bytes again", name, stop, lost)
			}
		}
	}
}

// kill flushes what the system would have, and unlocks the files, as a killed process does.
func kill(t *testing.T, p *Parts) {
	t.Helper()
	for _, part := range p.parts {
		if err := part.medium.leave(); err != nil {
			t.Fatal(err)
		}
		part.closed = true
	}
	p.closed = true
}

func equalFolders(t *testing.T, got, want map[string]string) bool {
	t.Helper()
	for name, data := range want {
		if got[name] != data {
			t.Errorf("%s has %d bytes, want %d", name, len(got[name]), len(data))
		}
	}
	for name := range got {
		if _, ok := want[name]; !ok {
			t.Errorf("found %s", name)
		}
	}
	return !t.Failed()
}

// TestPartsTakeBlobsBack rolls back a blob of three parts, at its beginning, in its middle and
// at its end, after a run that was stopped, too.
func TestPartsTakeBlobsBack(t *testing.T) {
	s := partSample(t)
	cut := slices.IndexFunc(s.blobs, func(b item) bool { return b.desc.Size > 2<<20 })
	for name := range compressions {
		folder := t.TempDir()
		p := newParts(t, filepath.Join(folder, name), 600_000)
		if _, err := s.writeParts(t, p, 0); err != nil {
			t.Fatal(err)
		}
		commitParts(t, p, false)
		want := folderOf(t, folder)
		for _, written := range []int64{0, 1, 700_000, 2_000_000} {
			folder := t.TempDir()
			p := newParts(t, filepath.Join(folder, name), 600_000)
			before := *s
			before.blobs = s.blobs[:cut]
			if _, err := before.announce(t, p, s.blobs); err != nil {
				t.Fatal(err)
			}
			b := s.blobs[cut]
			if err := p.Begin(b.desc); err != nil {
				t.Fatal(err)
			}
			run := &partsRun{p, written}
			e := p.Encoder(b.desc, func(data []byte) error { _, err := run.Write(data); return err })
			if written > 0 {
				if _, err := e.Write(b.data); !errors.Is(err, errStop) {
					t.Fatal(err)
				}
			}
			if err := p.Rollback(); err != nil {
				t.Fatal(err)
			}
			run.rest = 0
			over := false
			for _, b := range s.blobs[cut:] {
				if _, err := run.put(b, &over); err != nil {
					t.Fatal(err)
				}
			}
			commitParts(t, p, false)
			if !equalFolders(t, folderOf(t, folder), want) {
				t.Fatalf("%s after %d bytes: other parts", name, written)
			}
		}
	}
}

// announce writes the beginning of parts and the first blobs of a plan.
func (s *sample) announce(t *testing.T, p *Parts, plan []item) (int64, error) {
	t.Helper()
	for _, m := range s.manifests {
		if err := p.PutManifest(m.desc, m.data); err != nil {
			t.Fatal(err)
		}
	}
	if err := p.PutIndex(s.index); err != nil {
		t.Fatal(err)
	}
	var all []ocispec.Descriptor
	for _, b := range plan {
		all = append(all, b.desc)
	}
	if err := p.Expect(slices.Values(all)); err != nil {
		return 0, err
	}
	over := false
	for _, b := range s.blobs {
		if _, err := (&partsRun{Parts: p}).put(b, &over); err != nil {
			return 0, err
		}
	}
	return 0, nil
}

// TestPartsAreReplacedTogether writes fewer parts over more, and incomplete ones beside
// them.
func TestPartsAreReplacedTogether(t *testing.T) {
	s := partSample(t)
	folder := t.TempDir()
	path := filepath.Join(folder, "x.tgz")
	write := func(size int64, incomplete bool) string {
		p := newParts(t, path, size)
		if _, err := s.writeParts(t, p, 0); err != nil {
			t.Fatal(err)
		}
		return commitParts(t, p, incomplete)
	}
	stranger := filepath.Join(folder, "x.100.tgz")
	write(400_000, false)
	writeFile(t, filepath.Join(folder, "x.tgz"), []byte("a bundle in one file"))
	many := len(names(t, folder))
	if got := write(2<<20, true); got != filepath.Join(folder, "x.*.tgz.incomplete") {
		t.Errorf("an incomplete bundle replaced %s", got)
	}
	if got := write(2<<20, false); got != filepath.Join(folder, "x.*.tgz") {
		t.Errorf("%s", got)
	}
	got := names(t, folder)
	if want := []string{"x.001.tgz", "x.001.tgz.incomplete", "x.002.tgz", "x.002.tgz.incomplete", "x.tgz"}; !slices.Equal(got, want) || many < 6 {
		t.Errorf("found %q after %d", got, many)
	}
	writeFile(t, stranger, []byte("not ours"))
	if _, err := Create(path, CreateOptions{PartSize: 1 << 20}); err == nil {
		t.Error("a file of the user was to be replaced")
	}
}

// TestPartsOfAnotherSize resumes with another size: the run starts over and leaves nothing of
// the former one.
func TestPartsOfAnotherSize(t *testing.T) {
	s := partSample(t)
	folder, other := t.TempDir(), t.TempDir()
	p := newParts(t, filepath.Join(folder, "x.tgz"), 600_000)
	if _, err := s.writeParts(t, p, 2_200_000); !errors.Is(err, errStop) {
		t.Fatal(err)
	}
	kill(t, p)
	for _, at := range []string{folder, other} {
		p := newParts(t, filepath.Join(at, "x.tgz"), 3<<20)
		if _, err := s.writeParts(t, p, 0); err != nil {
			t.Fatal(err)
		}
		commitParts(t, p, false)
	}
	equalFolders(t, folderOf(t, folder), folderOf(t, other))
}

// TestPartsOfAFailedBlob leaves a blob out: every part ends with the same index.json.
func TestPartsOfAFailedBlob(t *testing.T) {
	s := partSample(t)
	folder := t.TempDir()
	p := newParts(t, filepath.Join(folder, "x.tgz"), 600_000)
	short := *s
	short.blobs = slices.DeleteFunc(slices.Clone(s.blobs), func(b item) bool { return b.desc.Size > 2<<20 })
	if _, err := short.announce(t, p, s.blobs); err != nil {
		t.Fatal(err)
	}
	last := &oci.Index{}
	last.Put(s.index.Entries[0])
	if err := p.PutIndex(last); err != nil {
		t.Fatal(err)
	}
	commitParts(t, p, true)
	for _, name := range names(t, folder) {
		l := openLayoutAt(t, filepath.Join(folder, name), OpenOptions{})
		if len(l.Index().Entries) != 1 {
			t.Errorf("%s lists %d entries", name, len(l.Index().Entries))
		}
		if info, err := os.Stat(filepath.Join(folder, name)); err != nil || info.Size() > 600_000 {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestPartsTooSmall(t *testing.T) {
	s := newSample(t)
	for _, size := range []int64{1, 10 << 10} {
		folder := t.TempDir()
		p := newParts(t, filepath.Join(folder, "x.tgz"), size)
		_, err := s.writeParts(t, p, 0)
		small, ok := errors.AsType[*PartSizeError](err)
		if !ok || small.Least <= size {
			t.Fatalf("parts of %d: %v", size, err)
		}
		if err := p.Close(); err != nil || len(names(t, folder)) > 0 {
			t.Errorf("left %q, %v", names(t, folder), err)
		}
		p = newParts(t, filepath.Join(folder, "x.tgz"), small.Least)
		if _, err := s.writeParts(t, p, 0); err != nil {
			if many, ok := errors.AsType[*PartSizeError](err); !ok || many.Least != 0 {
				t.Errorf("parts of %d: %v", small.Least, err)
			}
		}
	}
}

// TestPartsNeedAFile refuses parts of anything but a file.
func TestPartsNeedAFile(t *testing.T) {
	for _, path := range []string{"-", os.DevNull, t.TempDir(), t.TempDir() + "/new/", "s3://bucket/x.tgz", "s3://bucket/x/"} {
		if _, err := Create(path, CreateOptions{PartSize: 1 << 30, Stdout: io.Discard}); !errors.Is(err, ErrNoParts) {
			t.Errorf("%s: %v", path, err)
		}
	}
}

func TestPartPaths(t *testing.T) {
	for path, want := range map[string][2]string{
		"bundle.tgz":       {"bundle.007.tgz", "bundle.*.tgz"},
		"a.b/bundle.tar":   {"a.b/bundle.007.tar", "a.b/bundle.*.tar"},
		"bundle.tar.gz":    {"bundle.007.tar.gz", "bundle.*.tar.gz"},
		"bundle":           {"bundle.007", "bundle.*"},
		"v1.2/bundle":      {"v1.2/bundle.007", "v1.2/bundle.*"},
		"bundle-1.2":       {"bundle-1.2.007", "bundle-1.2.*"},
		"bundle-1.2.tgz":   {"bundle-1.2.007.tgz", "bundle-1.2.*.tgz"},
		".bundle":          {".bundle.007", ".bundle.*"},
		"x.000.tgz":        {"x.000.007.tgz", "x.000.*.tgz"},
		"/tmp/.hidden.TGZ": {"/tmp/.hidden.007.TGZ", "/tmp/.hidden.*.TGZ"},
		"dir/.tar.gz":      {"dir/.tar.gz.007", "dir/.tar.gz.*"},
		"x.gz":             {"x.007.gz", "x.*.gz"},
	} {
		if got := [2]string{PartPath(path, 7), PartsPattern(path)}; got != want {
			t.Errorf("%s: %q, want %q", path, got, want)
		}
	}
}
