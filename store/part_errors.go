package store

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
)

// MissingPartError reports a part of a bundle that is not among the inputs.
type MissingPartError struct {
	Path  string // where it would be; "" if the names of the others do not tell
	Part  int
	Parts int         // of the bundle
	Err   *InputError // why it cannot be read; nil if it is not there
}

func (e *MissingPartError) Error() string {
	text := fmt.Sprintf("part %d of %d ", e.Part, e.Parts)
	if e.Path != "" {
		text = e.Path + ": " + text
	}
	if e.Err != nil && !isNotExist(e.Err) {
		return text + "cannot be read: " + e.Err.Reason
	}
	return text + "is missing"
}

func (e *MissingPartError) Unwrap() error {
	if e.Err == nil {
		return nil
	}
	return e.Err
}

// LackingPartsError reports a blob that the parts at hand lack.
type LackingPartsError struct {
	Numbers []int // of the missing parts
	Parts   int   // of the bundle
}

func (e *LackingPartsError) Error() string {
	return fmt.Sprintf("missing: it is in part %s of %d", joinNumbers(e.Numbers), e.Parts)
}

// joinNumbers returns "1, 2 or 3".
func joinNumbers(numbers []int) string {
	var b strings.Builder
	for i, n := range numbers {
		switch {
		case i > 0 && i == len(numbers)-1:
			b.WriteString(" or ")
		case i > 0:
			b.WriteString(", ")
		}
		fmt.Fprint(&b, n)
	}
	return b.String()
}

// Absent says that the blob is not damaged.
func (*LackingPartsError) Absent() {}

// Is makes errors.Is(err, fs.ErrNotExist) true.
func (*LackingPartsError) Is(target error) bool { return target == fs.ErrNotExist }

// ForeignPartError reports a part of another bundle among the parts of one.
type ForeignPartError struct {
	Path  string
	Of    string // a part of the bundle
	Part  int
	Parts int
}

func (e *ForeignPartError) Error() string {
	return fmt.Sprintf("%s: part %d of %d of another bundle than %s", e.Path, e.Part, e.Parts, e.Of)
}

// ContradictionError reports a part that contradicts another part of the same bundle.
type ContradictionError struct {
	Path   string
	Other  string
	Reason string
}

func (e *ContradictionError) Error() string {
	return fmt.Sprintf("%s: contradicts %s: %s", e.Path, e.Other, e.Reason)
}

// claim makes the error of a part that cannot be read the reason why the part is missing.
func (e *MissingPartError) claim(unreadable []error) (left []error) {
	return slices.DeleteFunc(unreadable, func(err error) bool {
		input, ok := errors.AsType[*InputError](err)
		if !ok || e.Path == "" || filepath.Clean(input.Path) != e.Path {
			return false
		}
		e.Err = input
		return true
	})
}
