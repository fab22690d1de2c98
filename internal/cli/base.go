package cli

import (
	"os"
	"path/filepath"
	"strings"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/config/lockfile"
	"github.com/oras-mirror/oras-mirror/internal/cli/option"
	"github.com/oras-mirror/oras-mirror/internal/exit"
	"github.com/oras-mirror/oras-mirror/internal/filetype"
	"github.com/oras-mirror/oras-mirror/internal/overwrite"
	"github.com/oras-mirror/oras-mirror/store"
)

// baseFlags name the bases of a delta.
type baseFlags struct {
	Base []string `sep:"none" placeholder:"BASE" help:"Write a delta: leave out the blobs that this base has. BASE is a bundle, a layout, another delta, a lock, a target of the spec, REGISTRY[/NAMESPACE], or a quoted pattern of files such as 'NAME.*.tgz'. Repeatable."`
}

// baseOperand is one base: layouts, a lock or a target.
type baseOperand struct {
	name    string   // for people; "" for layouts
	layouts []string // paths: the parts of a bundle are one base
	lock    *baseLock
	target  *config.Target
}

// baseLock is a lock as it was read.
type baseLock struct {
	*lockfile.Lock
	path string
	text []byte
}

// bases are the bases that a command line names.
type bases struct {
	all    []baseOperand
	mapper *config.Mapper // of the targets; nil: none is mapped
}

// read finds out what each base is. It opens no layout and sends no request. All layouts are
// one operand, in the place of the first, since some may be parts of one bundle.
func (f *baseFlags) read(s selected) (b bases, err error) {
	b.mapper = s.mapper
	at := -1
	for _, arg := range f.Base {
		one, err := readBase(arg, s.spec)
		if err != nil {
			return b, err
		}
		switch {
		case len(one.layouts) == 0:
			b.all = append(b.all, one)
		case at < 0:
			at = len(b.all)
			b.all = append(b.all, one)
		default:
			b.all[at].layouts = append(b.all[at].layouts, one.layouts...)
		}
	}
	return b, nil
}

const kindsOfBase = "name a bundle, a layout, a lock, a target of the spec, or REGISTRY[/NAMESPACE]"

func readBase(arg string, spec *config.Spec) (baseOperand, error) {
	if arg == "" || arg == "-" {
		return baseOperand{}, exit.Usage(kindsOfBase, "invalid --base %q", arg)
	}
	kind, err := kindOf(arg)
	switch {
	case err != nil:
		return baseOperand{}, err
	case kind == registryOperand:
		return readBaseTarget(arg, spec)
	case kind == textOperand:
		return readBaseLock(arg)
	}
	paths, err := option.ExpandInputs([]string{arg})
	return baseOperand{layouts: paths}, err
}

// readBaseLock reads a lock. A spec selects what is there now, not what a base had.
func readBaseLock(path string) (baseOperand, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return baseOperand{}, err
	}
	if !isLock(data) {
		return baseOperand{}, exit.Usage(lockHint(path), "--base %s is not a lock", path)
	}
	lock, err := lockfile.Parse(path, data)
	return baseOperand{name: filepath.Base(path), lock: &baseLock{lock, path, data}}, err
}

// lockHint advises on a text that is not a lock: only a spec has one.
func lockHint(path string) string {
	if filetype.Document(path) == filetype.Spec {
		return "name its lock, " + lockfile.Path(path) + ", which pins what the base has"
	}
	return kindsOfBase
}

func readBaseTarget(arg string, spec *config.Spec) (baseOperand, error) {
	if filetype.LooksLikePath(arg) {
		return baseOperand{}, &exit.NoFileError{Path: arg}
	}
	all, err := spec.ResolveTargets()
	if err != nil {
		return baseOperand{}, err
	}
	target, found := findTarget(all, arg)
	if !found {
		if target, err = parseTarget(spec, arg); err != nil {
			return baseOperand{}, err
		}
	}
	return baseOperand{name: target.String(), target: &target}, nil
}

// files lists the files that the bases are read from.
func (b *bases) files() []overwrite.File {
	var all []overwrite.File
	for _, one := range b.all {
		if one.lock != nil {
			all = append(all, overwrite.File{What: "the base", Path: one.lock.path})
		}
		for _, path := range one.layouts {
			if !store.IsInBucket(path) {
				all = append(all, overwrite.LayoutFiles("the base", strings.TrimRight(path, string(os.PathSeparator)))...)
			}
		}
	}
	return all
}

// hosts lists the registries that the bases are read from.
func (b *bases) hosts() []string {
	return hostsOf(b.all, func(one baseOperand) string {
		if one.target != nil {
			return one.target.Registry
		}
		return ""
	})
}

// check refuses an output that is a base: it cannot lack what it has.
func (b *bases) check(output string) error {
	for _, one := range b.all {
		for _, path := range one.layouts {
			if path == output || isSamePath(path, output) {
				return exit.Usage("name another --output", "the base and the output are the same: %s", output)
			}
		}
	}
	return nil
}

func isSamePath(a, b string) bool {
	infoA, errA := os.Stat(a)
	infoB, errB := os.Stat(b)
	return errA == nil && errB == nil && os.SameFile(infoA, infoB)
}
