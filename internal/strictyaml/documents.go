package strictyaml

import (
	"bytes"
	"errors"
	"io"
	"iter"

	"gopkg.in/yaml.v3"
)

// Document is one document of a file that may hold several.
type Document struct {
	Root   *yaml.Node
	Before int // lines of the file before the text, which the lines of the nodes do not count
}

// Documents iterates over the documents of a file that are not empty, and yields a fault in
// place of one that is not valid YAML: it does not hide the others. A file in UTF-16, a stream
// of JSON documents, and the line ends of Windows are accepted.
func Documents(data []byte) iter.Seq2[Document, *Fault] {
	return func(yield func(Document, *Fault) bool) {
		for _, p := range parts(toUTF8(data)) {
			root, err := p.parse()
			goesOn := true
			switch {
			case err != nil:
				at := Position{err.position.Line + p.before, err.position.Column}
				goesOn = yield(Document{}, &Fault{Position: at, Err: err})
			case root != nil:
				goesOn = yield(Document{root, p.before}, nil)
			}
			if !goesOn {
				return
			}
		}
	}
}

// part is the text of at most one document.
type part struct {
	before int // lines of the file before it
	text   []byte
}

func parts(data []byte) []part {
	if all := jsonParts(data); len(all) > 0 {
		return all
	}
	return yamlParts(data)
}

// yamlParts divides a file at its document markers, which stand at the start of a line and
// nowhere else in YAML.
func yamlParts(data []byte) []part {
	var all []part
	line, begin, before, content := 0, 0, 0, false
	cut := func(at, line int) {
		if content {
			all = append(all, part{before, data[begin:at]})
			begin, before, content = at, line, false
		}
	}
	for at := 0; at < len(data); line++ {
		end := at + lineLength(data[at:])
		text := data[at:end]
		if isMarker(text, "---") {
			cut(at, line)
		}
		content = content || !isBlank(text)
		at = min(end+1, len(data))
		if isMarker(text, "...") {
			cut(at, line+1)
		}
	}
	cut(len(data), line)
	return all
}

func isMarker(line []byte, marker string) bool {
	rest, ok := bytes.CutPrefix(line, []byte(marker))
	return ok && (len(rest) == 0 || bytes.IndexByte([]byte(" \t\r"), rest[0]) >= 0)
}

// isBlank reports whether a line has nothing that a document consists of: comments and
// directives belong to the document after them.
func isBlank(line []byte) bool {
	text := bytes.TrimLeft(line, " \t\r")
	return len(text) == 0 || text[0] == '#' || len(line) > 0 && line[0] == '%'
}

// parse returns the root of the document, or nil if it is empty.
func (p part) parse() (*yaml.Node, *syntaxError) {
	decoder := yaml.NewDecoder(bytes.NewReader(p.text))
	first, err := nextDocument(decoder)
	if err == nil {
		if _, after := nextDocument(decoder); !errors.Is(after, io.EOF) {
			return nil, p.fault()
		}
	}
	switch {
	case errors.Is(err, io.EOF):
		return nil, nil
	case err != nil:
		return nil, p.fault()
	case isEmpty(first):
		return nil, nil
	}
	return first.Content[0], nil
}

// fault parses the text again to find the line of its fault.
func (p part) fault() *syntaxError {
	reader := newReader(p.text)
	reader.before = p.before
	for {
		_, err := reader.next()
		switch {
		case errors.Is(err, io.EOF):
			return &syntaxError{Position{1, 1}, "more than one document without --- between them"}
		case err != nil:
			return reader.fault(err)
		}
	}
}
