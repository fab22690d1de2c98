package oci

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/internal/bounds"
	"github.com/oras-mirror/oras-mirror/internal/compact"
	"github.com/oras-mirror/oras-mirror/internal/jsonlexer"
)

const (
	// maxEntries is the limit of entries in an archive too.
	maxEntries = 2_000_000
	// MaxSize is the largest integer that every JSON reader keeps exact.
	MaxSize = 1 << 53
)

// IndexError reports why an index.json is invalid.
type IndexError struct {
	Entry int // from 1; 0 if no entry is invalid
	Err   error
}

func (e *IndexError) Error() string {
	if e.Entry > 0 {
		return fmt.Sprintf("index.json: entry %d %v", e.Entry, e.Err)
	}
	return fmt.Sprintf("index.json %v", e.Err)
}

func (e *IndexError) Unwrap() error { return e.Err }

// errNoManifests prevents other JSON, such as {} or an error of a registry, from being
// read as an empty layout.
var errNoManifests = errors.New(`has no list "manifests"`)

// ReadIndex decodes an index.json while it reads it, into compact entries. Invalid content
// is an *IndexError.
func ReadIndex(r io.Reader) (*Index, error) {
	in := &indexReader{
		Lexer: jsonlexer.New(r, knownKey),
		index: new(Index),
		words: make(map[string]string),
		lists: make(map[string][]string),
	}
	err := in.read()
	if err == nil {
		err = in.count()
	}
	if err != nil {
		bounds.Give(in.counted)
		return nil, &IndexError{Entry: in.at, Err: err}
	}
	bounds.Give(in.rows.memory)
	in.index.memory = in.counted - in.rows.memory
	in.index.Entries = in.rows.entries()
	in.index.nameAttached()
	return in.index, nil
}

type indexReader struct {
	*jsonlexer.Lexer
	index  *Index
	listed bool // "manifests" was read
	at     int  // the current entry, from 1

	rows rows

	entry              Entry
	refName, imageName string

	cost    int64 // memory that is not accounted for yet
	counted int64

	words map[string]string // media types and the like, each stored once
	lists map[string][]string
}

func (in *indexReader) read() error {
	c, err := in.Peek()
	if err != nil {
		return err
	}
	if c != '{' { // elsewhere a null is an empty object
		return jsonlexer.Unexpected(c)
	}
	if err := in.Object(in.member); err != nil {
		return err
	}
	if !in.listed {
		return errNoManifests
	}
	return in.End()
}

func (in *indexReader) member(key string) (err error) {
	x := in.index
	switch key {
	case "schemaVersion":
		var version int64
		if version, err = in.Integer(); err == nil && version != 2 {
			err = fmt.Errorf("has the schemaVersion %d, expected 2", version)
		}
	case "mediaType":
		_, err = in.Text()
	case "manifests":
		err = in.manifests()
	case "annotations":
		x.Annotations = make(map[string]string)
		err = in.Object(func(key string) error {
			value, err := in.Text()
			x.Annotations[key] = string(value)
			return errors.Join(err, in.keeps(pairMemory+len(key)+len(value)))
		})
	default:
		err = keep(&x.foreign, key, in.Lexer)
		err = errors.Join(err, in.keeps(pairMemory+len(key)+len(x.foreign[key])))
	}
	return err
}

// manifests reads the entries. Elsewhere a null is an empty array, here it is an error.
func (in *indexReader) manifests() error {
	if c, err := in.Peek(); err != nil || c == 'n' {
		return cmp.Or(err, errNoManifests)
	}
	in.listed = true
	in.rows = rows{}
	return in.Array(in.readEntry)
}

func (in *indexReader) readEntry() error {
	in.at = in.rows.n + 1
	if in.at > maxEntries {
		return fmt.Errorf("exceeds the maximum of %d entries", maxEntries)
	}
	in.entry, in.refName, in.imageName = Entry{}, "", ""
	if err := in.Object(in.descriptor); err != nil {
		return err
	}
	e := &in.entry
	e.setNames(in.refName, in.imageName)
	if err := e.Digest.Validate(); err != nil {
		return fmt.Errorf("has the invalid digest %.200q: %w", e.Digest, err)
	}
	if e.Size < 0 || e.Size > MaxSize {
		return fmt.Errorf("has the invalid size %d", e.Size)
	}
	row := in.rows.add(e)
	in.at = 0
	names := len(in.refName)
	if in.imageName != in.refName {
		names += len(in.imageName)
	}
	return in.keeps(entryMemory + row + names)
}

func (in *indexReader) descriptor(key string) (err error) {
	e := &in.entry
	switch key {
	case "mediaType":
		e.MediaType, err = in.word()
	case "artifactType":
		e.ArtifactType, err = in.word()
	case "digest":
		var text []byte
		text, err = in.Text()
		e.Digest = digest.Digest(text)
	case "size":
		e.Size, err = in.Integer()
	case "annotations":
		err = in.Object(in.annotation)
	default:
		var value json.RawMessage
		value, err = in.Raw()
		e.keepField(key, value)
		err = errors.Join(err, in.keeps(mapMemory+pairMemory+len(key)+len(value)))
	}
	return err
}

func (in *indexReader) annotation(key string) (err error) {
	e := &in.entry
	switch key {
	case ocispec.AnnotationRefName:
		in.refName, err = in.name()
	case AnnotationImageName:
		in.imageName, err = in.name()
	case AnnotationReferrers:
		e.Referrers, err = in.word()
	case AnnotationPlatforms:
		e.Platforms, err = in.word()
	case AnnotationRepositories:
		e.Repositories, err = in.list()
	case AnnotationSubject:
		err = in.subject()
	default:
		var text []byte
		text, err = in.Text()
		e.keepAnnotation(key, string(text))
		err = errors.Join(err, in.keeps(mapMemory+pairMemory+len(key)+len(text)))
	}
	return err
}

// subject reads the subject of a referrer. What is not a digest is kept as it is.
func (in *indexReader) subject() error {
	text, err := in.Text()
	if in.entry.Subject = compact.Of(digest.Digest(text)); in.entry.Subject != "" {
		return errors.Join(err, in.keeps(len(in.entry.Subject)))
	}
	in.entry.keepAnnotation(AnnotationSubject, string(text))
	return errors.Join(err, in.keeps(mapMemory+pairMemory+len(AnnotationSubject)+len(text)))
}

// The memory that is kept beside the text: an entry with its digest, a map with one pair, a pair
// of a map.
const (
	entryMemory = 250
	mapMemory   = 250
	pairMemory  = 100
	// countStep is the number of bytes after which memory is accounted for.
	countStep = 64 << 10
)

// keeps accounts for memory that the index keeps.
func (in *indexReader) keeps(n int) error {
	if in.cost += int64(n); in.cost < countStep {
		return nil
	}
	return in.count()
}

func (in *indexReader) count() error {
	if err := bounds.TakeOfHalf(in.counted, in.cost); err != nil {
		return fmt.Errorf("is too large: %w", err)
	}
	in.counted, in.cost = in.counted+in.cost, 0
	return nil
}

// keep reads a value into a map, which it creates if needed.
func keep(m *map[string]json.RawMessage, key string, l *jsonlexer.Lexer) error {
	value, err := l.Raw()
	if err != nil {
		return err
	}
	if *m == nil {
		*m = make(map[string]json.RawMessage)
	}
	(*m)[key] = value
	return nil
}
