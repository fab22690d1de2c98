package cli

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/opencontainers/go-digest"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/config/lockfile"
	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/internal/cli/option"
	"github.com/oras-mirror/oras-mirror/internal/exit"
	"github.com/oras-mirror/oras-mirror/internal/filetype"
	"github.com/oras-mirror/oras-mirror/internal/inventory"
	"github.com/oras-mirror/oras-mirror/store"
)

// operand is one of the two arguments that diff compares.
type operand struct {
	names      []inventory.Name
	spec       *config.Spec             // if it is a spec
	selections []config.Selection       // to resolve into names
	quarantine *engine.Quarantine       // keeps out tags that the next lock of the spec would not have; nil: none
	base       string                   // REGISTRY[/NAMESPACE] if it is one, else ""
	lock       *lockfile.Lock           // if it is a lock
	layout     string                   // path if it is a layout, else ""
	written    map[string]digest.Digest // by reference, of indexes that a restore rewrites
}

// operandKind says what an argument names.
type operandKind int

const (
	registryOperand operandKind = iota // there is no such file
	layoutOperand
	textOperand // a spec or a lock
)

// kindOf returns what an argument names. An archive is no text.
func kindOf(arg string) (operandKind, error) {
	if store.IsInBucket(arg) || option.IsPattern(arg) {
		return layoutOperand, nil
	}
	info, err := os.Stat(arg)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return registryOperand, nil
	case err == nil && !info.IsDir() && filetype.IsText(arg):
		return textOperand, nil
	}
	return layoutOperand, err
}

// openOperands opens the two arguments. If both are layouts, their names differ also by
// platforms and referrers.
func openOperands(argA, argB string, open opener) (a, b *operand, err error) {
	kindA, errA := kindOf(argA)
	kindB, errB := kindOf(argB)
	names := inventory.Names
	if kindA == layoutOperand && kindB == layoutOperand {
		names = inventory.NamesWithContent
	}
	if errA == nil {
		a, errA = openOperand(argA, kindA, open, names)
	}
	if errB == nil {
		b, errB = openOperand(argB, kindB, open, names)
	}
	return a, b, errors.Join(errA, errB)
}

// openOperand opens an argument of a kind.
func openOperand(arg string, kind operandKind, open opener, names func(store.Layout) []inventory.Name) (*operand, error) {
	switch kind {
	case registryOperand:
		return openRegistry(arg)
	case textOperand:
		return openText(arg)
	}
	in, err := open(arg)
	if err != nil {
		return nil, err
	}
	return &operand{names: names(in), layout: arg}, in.Close()
}

// isForeign reports whether an operand has digests that most registries do not return.
func (o *operand) isForeign() bool {
	return slices.ContainsFunc(o.names, func(t inventory.Name) bool { return t.Digest.Algorithm() != digest.Canonical && t.Other == "" })
}

// openText reads a lock or a spec.
func openText(path string) (*operand, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	if isLock(data) {
		lock, err := lockfile.Parse(path, data)
		if err != nil {
			return nil, err
		}
		return &operand{names: lockedNames(lock), lock: lock}, nil
	}
	spec, err := config.Load(path)
	if err != nil {
		return nil, err
	}
	s := &operand{spec: spec}
	if s.quarantine, err = quarantineOf(spec, path); err != nil {
		return nil, err
	}
	if s.selections, err = spec.Selections(); err == nil && len(s.selections) == 0 {
		err = exit.Usage(listSources(path), "%s has no sources", path)
	}
	return s, err
}

// isLock reports whether a file has the kind of a lock, on a line of its own.
func isLock(data []byte) bool {
	for line := range bytes.Lines(data) {
		key, value, _ := bytes.Cut(line, []byte(":"))
		if string(key) == "kind" {
			return strings.Trim(strings.TrimSpace(string(value)), `"'`) == lockfile.Kind
		}
	}
	return false
}

// openRegistry parses REGISTRY[/NAMESPACE]; the namespace can also be a repository.
func openRegistry(arg string) (*operand, error) {
	if filetype.LooksLikePath(arg) {
		return nil, &exit.NoFileError{Path: arg}
	}
	target, err := config.ParseTarget(arg)
	if err != nil {
		return nil, &operandError{arg, err}
	}
	s := config.Selection{Registry: target.Registry, Optional: true, Origin: arg}
	if target.Namespace != "" {
		s.Repositories.Include = []string{target.Namespace, target.Namespace + "/**"}
	}
	return &operand{base: target.String(), selections: []config.Selection{s}}, nil
}

// operandError is an argument that is neither a file nor a registry.
type operandError struct {
	arg string
	err error
}

func (e *operandError) Error() string {
	reason := e.err.Error()
	var malformed *config.ReferenceError
	if errors.As(e.err, &malformed) {
		reason = malformed.Reason
	}
	return e.arg + ": no such file or directory, and not a registry: " + reason
}

func (e *operandError) Unwrap() error { return e.err }
