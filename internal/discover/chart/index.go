package chart

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/opencontainers/go-digest"
)

// Entry is a version of a chart in the index.yaml of a Helm repository.
type Entry struct {
	Version string   `yaml:"version"`
	URLs    []string `yaml:"urls"`
	Digest  string   `yaml:"digest"` // sha256 of the .tgz, with or without its algorithm; may be empty
}

// Check returns an error if the index has another digest for a .tgz.
func (e *Entry) Check(got digest.Digest) error {
	want := e.Digest
	if want == "" {
		return nil
	}
	if !strings.Contains(want, ":") {
		want = "sha256:" + want
	}
	if strings.ToLower(want) != got.String() {
		return &FormatError{Err: fmt.Errorf("index.yaml has the digest %s, the file has %s", want, got)}
	}
	return nil
}

// IndexError reports an index.yaml that is not one.
type IndexError struct {
	Line int // 0 if unknown
	Err  error
}

func (e *IndexError) Error() string {
	if e.Line == 0 {
		return "not the index of a Helm repository: " + e.Err.Error()
	}
	return fmt.Sprintf("not the index of a Helm repository: line %d: %v", e.Line, e.Err)
}

func (e *IndexError) Unwrap() error { return e.Err }

const (
	// maxEntry bounds the text of one version, in bytes. Real ones have some KiB.
	maxEntry = 1 << 20
	// maxPlain bounds an index that is not written as helm does, which is read as a whole.
	maxPlain = 4 << 20
)

// ReadIndex returns the versions of the wanted charts, in the order of the index. An index of
// any size costs the memory of those alone: it is read line by line, which works for the form
// that helm and other programs write. One in another form, such as JSON, has to be small. An
// error of r is returned as it is; all others are a [*IndexError].
func ReadIndex(r io.Reader, wanted map[string]bool) (map[string][]Entry, error) {
	in := &failing{Reader: r}
	buffered := bufio.NewReaderSize(in, 64<<10)
	head, _ := buffered.Peek(512)
	var found map[string][]Entry
	var err error
	if text := bytes.TrimSpace(head); len(text) > 0 && text[0] == '{' {
		found, err = readPlain(buffered, wanted)
	} else {
		scan := &indexScan{wanted: wanted, found: make(map[string][]Entry)}
		err = scan.read(buffered)
		found = scan.found
	}
	if in.err != nil {
		return nil, in.err
	}
	return found, err
}

// readPlain reads an index as a whole.
func readPlain(r io.Reader, wanted map[string]bool) (map[string][]Entry, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxPlain+1))
	if err != nil {
		return nil, err
	}
	if len(data) > maxPlain {
		return nil, &IndexError{Err: fmt.Errorf("an index in this form may have %d MiB", maxPlain>>20)}
	}
	var index struct {
		Entries map[string][]Entry `yaml:"entries"`
	}
	if err := decode(data, &index); err != nil {
		return nil, &IndexError{Err: err}
	}
	if index.Entries == nil {
		return nil, &IndexError{Err: errNoEntries}
	}
	for name := range index.Entries {
		if !wanted[name] {
			delete(index.Entries, name)
		}
	}
	return index.Entries, nil
}

var errNoEntries = errors.New("it has no entries")

// indexScan reads the lines of an index.
type indexScan struct {
	wanted map[string]bool
	found  map[string][]Entry

	line      int
	inside    bool   // of entries
	entries   bool   // there are entries
	keyIndent int    // of the names of charts; 0 until the first
	chart     string // the wanted chart that is read; "" for another
	indent    int    // of its elements; -1 until the first
	text      []byte // of the version that is read
	begin     int    // its first line
}

func (s *indexScan) read(r *bufio.Reader) error {
	for {
		line, err := r.ReadSlice('\n')
		s.line++
		if e := s.add(line); e != nil {
			return e
		}
		for err == bufio.ErrBufferFull { // the rest of a long line
			var rest []byte
			rest, err = r.ReadSlice('\n')
			if e := s.extend(rest); e != nil {
				return e
			}
		}
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
	}
	if err := s.flush(); err != nil {
		return err
	}
	if !s.entries {
		return &IndexError{Err: errNoEntries}
	}
	return nil
}

// add adds a line, or the start of a long one.
func (s *indexScan) add(line []byte) error {
	text := bytes.TrimLeft(line, " ")
	indent := len(line) - len(text)
	text = bytes.TrimRight(text, "\r\n")
	switch {
	case len(text) == 0 || text[0] == '#' && indent == 0:
		return s.extend(line)
	case indent == 0 && text[0] != '-':
		return s.beginSection(text)
	case !s.inside:
		return nil
	}
	if s.keyIndent == 0 {
		s.keyIndent = indent
	}
	if indent == s.keyIndent && text[0] != '-' {
		return s.beginChart(text)
	}
	if s.chart == "" {
		return nil
	}
	if text[0] == '-' && (s.indent < 0 || indent == s.indent) {
		if err := s.flush(); err != nil {
			return err
		}
		s.indent, s.begin = indent, s.line
	}
	return s.extend(line)
}

// beginSection begins a key of the document.
func (s *indexScan) beginSection(text []byte) error {
	err := s.flush()
	s.inside = bytes.HasPrefix(text, []byte("entries:"))
	s.entries, s.chart = s.entries || s.inside, ""
	return err
}

// beginChart begins the versions of a chart.
func (s *indexScan) beginChart(text []byte) error {
	err := s.flush()
	name, _, _ := bytes.Cut(text, []byte(":"))
	s.chart, s.indent = string(bytes.Trim(name, `"'`)), -1
	if !s.wanted[s.chart] {
		s.chart = ""
	}
	return err
}

// extend adds text to the version that is read.
func (s *indexScan) extend(text []byte) error {
	if s.chart == "" || s.indent < 0 {
		return nil
	}
	if s.text = append(s.text, text...); len(s.text) > maxEntry {
		return &IndexError{s.begin, fmt.Errorf("a version of %s has more than %d MiB", s.chart, maxEntry>>20)}
	}
	return nil
}

// flush adds the version that was read.
func (s *indexScan) flush() error {
	if len(s.text) == 0 {
		return nil
	}
	var one []Entry
	if err := decode(s.text, &one); err != nil {
		return &IndexError{s.begin, err}
	}
	s.found[s.chart] = append(s.found[s.chart], one...)
	s.text = s.text[:0]
	return nil
}
