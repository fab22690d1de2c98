package migrate

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"gopkg.in/yaml.v3"

	"github.com/oras-mirror/oras-mirror/internal/strictyaml"
)

// Format is a kind of file that Read converts.
type Format string

// These are the formats, by the names of their tools.
const (
	Hauler     Format = "hauler"
	OCMirror   Format = "oc-mirror"
	Regsync    Format = "regsync"
	Skopeo     Format = "skopeo sync"
	FluxMirror Format = "flux-mirror"
	List       Format = "a list of images"
)

// Formats returns all formats.
func Formats() []Format { return []Format{Hauler, OCMirror, Regsync, Skopeo, FluxMirror, List} }

// UnknownError reports a file in no format that Read converts.
type UnknownError struct {
	File       string
	Kind       string // of a document; may be empty
	IsSpec     bool   // it is a document of oras-mirror
	IsManifest bool   // it is one of Kubernetes
	IsEmpty    bool
}

func (e *UnknownError) Error() string {
	switch {
	case e.IsEmpty:
		return e.File + " is empty"
	case e.IsSpec:
		return fmt.Sprintf("%s is a %s of oras-mirror already", e.File, e.Kind)
	case e.Kind != "":
		return fmt.Sprintf("%s is of the kind %s, which is not the spec of a tool that copies images", e.File, e.Kind)
	}
	return e.File + ": unknown format"
}

// SyntaxError reports a file that cannot be parsed.
type SyntaxError struct {
	File     string
	Line     int // 0 if the whole file is meant
	Template bool
	Err      error
}

func (e *SyntaxError) Error() string {
	if e.Line == 0 {
		return fmt.Sprintf("%s: %v", e.File, e.Err)
	}
	return fmt.Sprintf("%s:%d: %v", e.File, e.Line, e.Err)
}

func (e *SyntaxError) Unwrap() error { return e.Err }

var errTooLarge = errors.New("too many values")

// file is a file whose format is known.
type file struct {
	format Format
	roots  []strictyaml.Document
}

func recognize(name string, data []byte) (file, error) {
	var f file
	for doc, fault := range strictyaml.Documents(data) {
		if fault != nil && isList(data) {
			return file{format: List}, nil
		}
		if fault != nil {
			template := utf8.Valid(data) && bytes.Contains(data, []byte("{{"))
			return f, &SyntaxError{File: name, Line: fault.Position.Line, Template: template, Err: fault.Err}
		}
		f.roots = append(f.roots, doc)
	}
	if len(f.roots) == 0 {
		return f, &UnknownError{File: name, IsEmpty: true}
	}
	first := strictyaml.Target(f.roots[0].Root)
	switch first.Kind {
	case yaml.MappingNode:
		f.format = formatOf(first)
	case yaml.SequenceNode:
		if isListOfTexts(first) {
			f.format = List
		}
	default:
		if isList(data) {
			return file{format: List}, nil
		}
	}
	if f.format == "" {
		return f, unknown(name, first)
	}
	return f, nil
}

func formatOf(root *yaml.Node) Format {
	version, kind := textAt(root, "apiVersion"), textAt(root, "kind")
	group, _, _ := strings.Cut(version, "/")
	switch {
	case strings.HasSuffix(group, "hauler.cattle.io"):
		return Hauler
	case kind == "ImageSetConfiguration":
		return OCMirror
	case strings.HasSuffix(group, "fluxcd.io") && kind == "Config":
		return FluxMirror
	case version != "" || kind != "":
		return ""
	case strictyaml.Value(root, "sync") != nil || strictyaml.Value(root, "creds") != nil:
		return Regsync
	case isSkopeo(root):
		return Skopeo
	}
	return ""
}

// isSkopeo reports whether a mapping is one of registries, each with a key that only skopeo
// sync has.
func isSkopeo(root *yaml.Node) bool {
	for i := 1; i < len(root.Content); i += 2 {
		value := strictyaml.Target(root.Content[i])
		if value.Kind == yaml.MappingNode && (strictyaml.Value(value, "images") != nil || strictyaml.Value(value, "images-by-tag-regex") != nil || strictyaml.Value(value, "images-by-semver") != nil) {
			return true
		}
	}
	return false
}

// unknown describes a document that is none of the formats.
func unknown(name string, root *yaml.Node) error {
	e := &UnknownError{File: name, Kind: textAt(root, "kind")}
	version := textAt(root, "apiVersion")
	ofTool := strings.Contains(version, "mirror")
	e.IsSpec = strings.HasPrefix(version, "oras-mirror/")
	e.IsManifest = !ofTool && version != "" && e.Kind != ""
	return e
}

// isList reports whether every line is one word that can name an image.
func isList(data []byte) bool {
	found := false
	for line := range bytes.Lines(data) {
		text := entryOf(string(line))
		if text == "" {
			continue
		}
		if strings.ContainsAny(text, " \t{}[]\"'<>|") || strings.HasSuffix(text, ":") {
			return false
		}
		found = true
	}
	return found
}

func isListOfTexts(root *yaml.Node) bool {
	for _, n := range root.Content {
		if strictyaml.Target(n).Kind != yaml.ScalarNode {
			return false
		}
	}
	return len(root.Content) > 0
}

func textAt(n *yaml.Node, key string) string {
	value := strictyaml.Value(n, key)
	if value == nil || value.Kind != yaml.ScalarNode {
		return ""
	}
	return value.Value
}

// entryOf returns the text of a line of a list, without a comment.
func entryOf(line string) string {
	line = strings.TrimPrefix(line, "\ufeff")
	if i := strings.IndexByte(line, '#'); i == 0 || i > 0 && (line[i-1] == ' ' || line[i-1] == '\t') {
		line = line[:i]
	}
	return strings.TrimSpace(line)
}
