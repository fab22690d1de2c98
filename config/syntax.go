package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"

	"gopkg.in/yaml.v3"
)

// syntaxError is what no YAML parser could read.
type syntaxError struct {
	position position
	message  string
}

func (e *syntaxError) Error() string { return e.message }

// documents reads YAML documents one by one and knows how far the parser came.
// It hands out single bytes: yaml.v3 says the line of an error roughly or not
// at all, but does not read far beyond it.
type documents struct {
	data    []byte
	read    int
	decoder *yaml.Decoder
}

func (d *documents) Read(p []byte) (int, error) {
	if d.read == len(d.data) {
		return 0, io.EOF
	}
	p[0] = d.data[d.read]
	d.read++
	return 1, nil
}

// next returns the next document, or io.EOF, or a *syntaxError.
func (d *documents) next() (document *yaml.Node, err error) {
	// A parser that gives up by a panic is no reason to go down with it.
	defer func() {
		if cause := recover(); cause != nil {
			err = d.fail(fmt.Sprint(cause))
		}
	}()
	document = new(yaml.Node)
	err = d.decoder.Decode(document)
	if err == nil || errors.Is(err, io.EOF) {
		return document, err
	}
	return nil, d.fail(err.Error())
}

func (d *documents) fail(message string) error {
	message = bare(message)
	end := d.lastLine()
	at := d.position(d.begin(end, message))
	if fault := indentFault(d.data, at.line, message); fault != "" {
		return &syntaxError{at, fault}
	}
	return &syntaxError{at, "invalid YAML: " + message + syntaxAdvice(d.line(at.line), message)}
}

// lastLine returns where the line ends that the parser came to. What it read of
// white space may belong to the end of the line before.
func (d *documents) lastLine() int {
	read := len(bytes.TrimRight(d.data[:d.read], " \t\r\n"))
	end := read + lineLength(d.data[read:])
	if end < len(d.data) && problem(d.data[:end]) == "" {
		return end + 1 + lineLength(d.data[end+1:])
	}
	return end
}

func lineLength(data []byte) int {
	if i := bytes.IndexByte(data, '\n'); i >= 0 {
		return i
	}
	return len(data)
}

// maxProbes bounds the bytes that are parsed again to find a place.
const maxProbes = 4 << 20

// begin goes back from a line to the one where the trouble began, such as a
// bracket that is never closed: the lines before that are a document, while
// those with it fail for the same reason. It returns the end of that line.
func (d *documents) begin(end int, message string) int {
	last := end
	for budget := maxProbes; budget > 0; {
		before := bytes.LastIndexByte(d.data[:last], '\n')
		if before < 0 {
			return last
		}
		budget -= before + 1
		if problem(d.data[:before+1]) != message {
			return last
		}
		last = before
	}
	return end
}

// problem returns why data is not YAML, or "".
func problem(data []byte) (message string) {
	defer func() {
		if cause := recover(); cause != nil {
			message = bare(fmt.Sprint(cause))
		}
	}()
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	for {
		err := decoder.Decode(new(yaml.Node))
		if errors.Is(err, io.EOF) {
			return ""
		}
		if err != nil {
			return bare(err.Error())
		}
	}
}

var lineNumber = regexp.MustCompile(`^yaml: (?:line \d+: )?`)

// bare drops the line from a message of yaml.v3.
func bare(message string) string {
	return lineNumber.ReplaceAllString(message, "")
}

// line returns a line, from 1.
func (d *documents) line(n int) string {
	return string(bytes.SplitN(d.data, []byte("\n"), n+1)[n-1])
}

// place returns the line that ends at end, and the column where its text
// begins.
func (d *documents) position(end int) position {
	start := bytes.LastIndexByte(d.data[:end], '\n') + 1
	line := d.data[start:end]
	indent := len(line) - len(bytes.TrimLeft(line, " \t"))
	return position{bytes.Count(d.data[:start], []byte("\n")) + 1, indent + 1}
}
