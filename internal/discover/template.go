package discover

import (
	"bytes"
	"fmt"
	"strings"
)

// TemplateError reports a template where a manifest is expected.
type TemplateError struct {
	Text string // the name of an image; "" if the file is not YAML
	Err  error  // of the parser; nil with a Text
}

func (e *TemplateError) Error() string {
	if e.Text == "" {
		return "a template, not a manifest: " + e.Err.Error()
	}
	return fmt.Sprintf("%q: a template, not the name of an image", e.Text)
}

func (e *TemplateError) Unwrap() error { return e.Err }

// VariableError reports a variable in the name of an image.
type VariableError struct{ Text string }

func (e *VariableError) Error() string {
	return fmt.Sprintf("%q: a variable in the name of an image", e.Text)
}

// BuildError reports an image that ko builds from source code.
type BuildError struct{ Text string }

func (e *BuildError) Error() string {
	return fmt.Sprintf("%q: an image that ko builds", e.Text)
}

// opensTemplate opens an expression in templates of Helm, Argo and Ansible.
const opensTemplate = "{{"

// templateOr returns a *TemplateError if the fault of a parser in a line comes from a template:
// the line has an expression, or a line before it begins with one.
func templateOr(data []byte, line int, err error) error {
	n := 0
	for text := range bytes.Lines(data) {
		if n++; n > line {
			break
		}
		text = bytes.TrimSpace(text)
		if bytes.HasPrefix(text, []byte(opensTemplate)) || n == line && bytes.Contains(text, []byte(opensTemplate)) {
			return &TemplateError{Err: err}
		}
	}
	return err
}

// unresolved returns an error if the name of an image depends on something that is not in the
// file.
func unresolved(name string) error {
	switch {
	case strings.Contains(name, opensTemplate):
		return &TemplateError{Text: name}
	case strings.Contains(name, "$"):
		return &VariableError{Text: name}
	case strings.HasPrefix(name, "ko://"):
		return &BuildError{Text: name}
	}
	return nil
}
