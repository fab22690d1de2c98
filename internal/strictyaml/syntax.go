package strictyaml

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"

	"gopkg.in/yaml.v3"
)

// syntaxError reports that a file is not one YAML document.
type syntaxError struct {
	position Position
	message  string
}

func (e *syntaxError) Error() string { return e.message }

// reader reads YAML documents one by one and records how far the parser read. It returns
// single bytes: yaml.v3 reports the line of an error roughly or not at all, but does not read
// far beyond it.
type reader struct {
	data    []byte
	before  int // lines of the file before data
	read    int
	decoder *yaml.Decoder
}

func newReader(data []byte) *reader {
	r := &reader{data: data}
	r.decoder = yaml.NewDecoder(r)
	return r
}

func (r *reader) Read(p []byte) (int, error) {
	if r.read == len(r.data) {
		return 0, io.EOF
	}
	p[0] = r.data[r.read]
	r.read++
	return 1, nil
}

// next returns the next document, or io.EOF.
func (r *reader) next() (*yaml.Node, error) { return nextDocument(r.decoder) }

// nextDocument decodes a document. A panic of the parser is an error like any other.
func nextDocument(decoder *yaml.Decoder) (document *yaml.Node, err error) {
	defer func() {
		if cause := recover(); cause != nil {
			err = errors.New(fmt.Sprint(cause))
		}
	}()
	document = new(yaml.Node)
	return document, decoder.Decode(document)
}

// fault finds the line of data that the parser's error is about.
func (r *reader) fault(err error) *syntaxError {
	message := withoutLine(err)
	at := r.position(r.begin(r.lastLine(), message))
	if fault := indentFault(r.data, at.Line, r.before, message); fault != "" {
		return &syntaxError{at, fault}
	}
	return &syntaxError{at, "invalid YAML: " + message + syntaxAdvice(r.line(at.Line), message)}
}

// lastLine returns the end of the last line that the parser read. White space that it read may
// belong to the end of the line before.
func (r *reader) lastLine() int {
	read := len(bytes.TrimRight(r.data[:r.read], " \t\r\n"))
	end := read + lineLength(r.data[read:])
	if end < len(r.data) && problem(r.data[:end]) == "" {
		return end + 1 + lineLength(r.data[end+1:])
	}
	return end
}

func lineLength(data []byte) int {
	if i := bytes.IndexByte(data, '\n'); i >= 0 {
		return i
	}
	return len(data)
}

// maxProbes bounds the bytes that are parsed again to find the position of an error.
const maxProbes = 4 << 20

// begin goes back from a line to the one with the cause, such as a bracket that is never
// closed: the lines before that are valid, while those up to it fail with the same message. It
// returns the end of that line.
func (r *reader) begin(end int, message string) int {
	last := end
	for budget := maxProbes; budget > 0; {
		before := bytes.LastIndexByte(r.data[:last], '\n')
		if before < 0 {
			return last
		}
		budget -= before + 1
		if problem(r.data[:before+1]) != message {
			return last
		}
		last = before
	}
	return end
}

// problem returns why data is not YAML, or "".
func problem(data []byte) string {
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	for {
		_, err := nextDocument(decoder)
		if errors.Is(err, io.EOF) {
			return ""
		}
		if err != nil {
			return withoutLine(err)
		}
	}
}

var lineNumber = regexp.MustCompile(`^yaml: (?:line \d+: )?`)

// withoutLine returns the message of an error of yaml.v3 without its line.
func withoutLine(err error) string {
	return lineNumber.ReplaceAllString(err.Error(), "")
}

// line returns a line, from 1.
func (r *reader) line(n int) string {
	return string(bytes.SplitN(r.data, []byte("\n"), n+1)[n-1])
}

// position returns the line that ends at end, and the column where its text starts.
func (r *reader) position(end int) Position {
	start := bytes.LastIndexByte(r.data[:end], '\n') + 1
	line := r.data[start:end]
	indent := len(line) - len(bytes.TrimLeft(line, " \t"))
	return Position{bytes.Count(r.data[:start], []byte("\n")) + 1, indent + 1}
}
