package cli

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/opencontainers/go-digest"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/engine/base"
	"github.com/oras-mirror/oras-mirror/engine/registry"
	"github.com/oras-mirror/oras-mirror/internal/console"
	"github.com/oras-mirror/oras-mirror/internal/exit"
	"github.com/oras-mirror/oras-mirror/internal/filetype"
	"github.com/oras-mirror/oras-mirror/internal/overwrite"
	"github.com/oras-mirror/oras-mirror/store"
)

// baseFlags name the bases of a delta.
type baseFlags struct {
	Base []string `sep:"none" placeholder:"BASE" help:"Write a delta: leave out the blobs that this base has. BASE is a bundle, a layout, another delta, a lock, a target of the spec, or REGISTRY[/NAMESPACE]. Repeatable."`
}

// baseOperand is one base: a layout, a lock or a target.
type baseOperand struct {
	name   string // for people
	path   string // of a layout or a lock; "" for a target
	lock   *config.Lock
	target *config.Target
}

// bases are the bases that a command line names.
type bases struct {
	all    []baseOperand
	mapper *config.Mapper // of the targets; nil: none is mapped
}

// read finds out what each base is. It opens no layout and sends no request.
func (f *baseFlags) read(s selected) (b bases, err error) {
	b.mapper = s.mapper
	for _, arg := range f.Base {
		one, err := readBase(arg, s.spec)
		if err != nil {
			return b, err
		}
		b.all = append(b.all, one)
	}
	return b, nil
}

func readBase(arg string, spec *config.Spec) (baseOperand, error) {
	if arg == "" || arg == "-" {
		return baseOperand{}, exit.Usage("name a bundle, a layout, a lock, a target of the spec, or REGISTRY[/NAMESPACE]", "invalid --base %q", arg)
	}
	if store.IsInBucket(arg) {
		return baseOperand{name: arg, path: arg}, nil
	}
	info, err := os.Stat(arg)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return readBaseTarget(arg, spec)
	case err != nil:
		return baseOperand{}, err
	case !info.IsDir() && filetype.IsText(arg):
		return readBaseLock(arg)
	}
	return baseOperand{name: filepath.Base(filepath.Clean(arg)), path: arg}, nil
}

// readBaseLock reads a lock. A spec selects what is there now, not what a base had.
func readBaseLock(path string) (baseOperand, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return baseOperand{}, err
	}
	if !isLock(data) {
		return baseOperand{}, exit.Usage("name its lock, "+config.LockPath(path)+", which pins what the base has", "--base %s is not a lock", path)
	}
	lock, err := config.ParseLock(path, data)
	return baseOperand{name: filepath.Base(path), path: path, lock: lock}, err
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
		switch {
		case one.lock != nil:
			all = append(all, overwrite.File{What: "the base", Path: one.path})
		case one.path != "" && !store.IsInBucket(one.path):
			all = append(all, overwrite.LayoutFiles("the base", strings.TrimRight(one.path, string(os.PathSeparator)))...)
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
		if one.path == output || one.path != "" && isSamePath(one.path, output) {
			return exit.Usage("name another --output", "the base and the output are the same: %s", output)
		}
	}
	return nil
}

func isSamePath(a, b string) bool {
	infoA, errA := os.Stat(a)
	infoB, errB := os.Stat(b)
	return errA == nil && errB == nil && os.SameFile(infoA, infoB)
}

// baseReader reads the bases of a run.
type baseReader struct {
	client  *registry.Client
	open    opener
	job     selected
	options engine.BackupOptions
}

// open reads the bases; nil if there is none.
func (b *bases) open(ctx context.Context, u *console.Console, r baseReader) (engine.Base, error) {
	if len(b.all) == 0 {
		return nil, nil
	}
	all := &base.Bases{Notice: r.options.Progress.Notice, Concurrency: r.options.Concurrency}
	for _, one := range b.all {
		u.Notice("reading the base %s", one.name)
		if err := r.add(ctx, all, one, b.mapper); err != nil {
			return nil, err
		}
	}
	return all, nil
}

func (r *baseReader) add(ctx context.Context, to *base.Bases, one baseOperand, mapper *config.Mapper) error {
	switch {
	case one.target != nil:
		return to.AddTarget(ctx, r.client, r.job.selections, base.Target{Target: *one.target, Mapper: mapper}, r.options)
	case one.lock != nil:
		return to.AddLock(ctx, r.client, one.lock, one.lock.Selections(one.path), one.name, r.options, func(context.Context) (digest.Digest, error) {
			lock, err := config.LoadLock(one.path)
			if err != nil {
				return "", err
			}
			return base.LockRoots(lock), nil
		})
	}
	l, err := r.open(one.path)
	if err != nil {
		return err
	}
	return errors.Join(to.AddLayout(ctx, l, one.name, func(context.Context) (digest.Digest, error) {
		l, err := r.open(one.path)
		if err != nil {
			return "", err
		}
		roots := l.Index().RootsDigest(nil)
		store.ForgetIndex(l)
		return roots, l.Close()
	}), l.Close())
}
