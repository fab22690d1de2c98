package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"io"
	"io/fs"
	"net"
	"os"
	"slices"
	"strings"

	"github.com/opencontainers/go-digest"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/engine/registry"
	"github.com/oras-mirror/oras-mirror/store"
)

// side is one of two things that are compared.
type side struct {
	names      []tagged
	spec       *config.Spec       // of a side that is a spec
	selections []config.Selection // to be resolved before there are names
	base       string             // REGISTRY[/NAMESPACE] of a side that is one, else empty
	lock       *config.Lock       // of a side that is one, else nil
	layout     string             // path of a side that is one, else empty
	written    map[string]digest.Digest
}

// openSide finds out what an argument is. What exists is a file or a directory.
func openSide(arg string) (*side, error) {
	info, err := os.Stat(arg)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return openRegistry(arg)
	case err != nil:
		return nil, err
	case !info.IsDir() && isText(arg):
		return openText(arg)
	}
	in, err := store.OpenLayout(arg, store.OpenOptions{})
	if err != nil {
		return nil, err
	}
	return &side{names: taggedIn(in), layout: arg}, in.Close()
}

// isForeign says that a side has digests that most registries do not give.
func (s *side) isForeign() bool {
	return slices.ContainsFunc(s.names, func(t tagged) bool { return t.Digest.Algorithm() != digest.Canonical && t.other == "" })
}

// isText tells a spec or a lock from an archive, which has a zero byte within
// the first block, a gzip or zstd header at the latest.
func isText(path string) bool {
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer f.Close()
	head, err := io.ReadAll(io.LimitReader(f, 512))
	return err == nil && len(head) > 0 && bytes.IndexByte(head, 0) < 0
}

// openText reads a lock, or else a spec.
func openText(path string) (*side, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	if isLock(data) {
		lock, err := config.ParseLock(path, data)
		if err != nil {
			return nil, err
		}
		return &side{names: lockedNames(lock), lock: lock}, nil
	}
	spec, err := config.Load(path)
	if err != nil {
		return nil, err
	}
	s := &side{spec: spec}
	if s.selections, err = spec.Selections(); err == nil && len(s.selections) == 0 {
		err = usage(listSources(path), "%s has no sources", path)
	}
	return s, err
}

// isLock looks for the kind of a lock, which stands in a line of its own.
func isLock(data []byte) bool {
	for line := range bytes.Lines(data) {
		key, value, _ := bytes.Cut(line, []byte(":"))
		if string(key) == "kind" {
			return strings.Trim(strings.TrimSpace(string(value)), `"'`) == config.LockKind
		}
	}
	return false
}

// openRegistry takes REGISTRY[/NAMESPACE], where the namespace may be a
// repository, too.
func openRegistry(arg string) (*side, error) {
	if looksLikePath(arg) {
		return nil, &noFileError{arg}
	}
	target, err := config.ParseTarget(arg)
	if err != nil {
		return nil, &sideError{arg, err}
	}
	s := config.Selection{Registry: target.Registry, Optional: true, Origin: arg}
	if target.Namespace != "" {
		s.Repositories.Include = []string{target.Namespace, target.Namespace + "/**"}
	}
	return &side{base: target.String(), selections: []config.Selection{s}}, nil
}

// sideError says that an argument is neither a file nor a registry.
type sideError struct {
	arg string
	err error
}

func (e *sideError) Error() string {
	reason := e.err.Error()
	var malformed *config.ReferenceError
	if errors.As(e.err, &malformed) {
		reason = malformed.Reason
	}
	return e.arg + ": no such file or directory, and not a registry: " + reason
}
func (e *sideError) Unwrap() error { return e.err }

// resolver asks registries what a side has.
type resolver struct {
	client      *registry.Client
	concurrency int
	progress    engine.Progress
	ofWritten   bool // also what a target that rewrites indexes gets
	ofBoth      bool // also the digests in another algorithm
}

// resolve finds the names of a side and, if it is compared with a target that
// rewrites indexes, what that gets of it.
func (r *resolver) resolve(ctx context.Context, s *side, rewritten bool) error {
	if s.selections == nil {
		if !rewritten {
			return nil
		}
		return r.resolveWritten(ctx, s)
	}
	r.ofWritten = rewritten
	all, err := r.ask(ctx, s.selections)
	if ref, bare := config.ParseReference(s.base); err != nil && bare == nil {
		// Public registries refuse their catalogs: it may be a repository.
		one, refusal := r.ask(ctx, []config.Selection{{Reference: ref, Origin: s.base}})
		if refusal == nil {
			all, err = one, nil
		}
	}
	var unknown *net.DNSError
	if errors.As(err, &unknown) && unknown.IsNotFound && s.base != "" {
		return &sideError{s.base, err} // a file whose name was misspelt
	}
	for _, one := range all {
		s.names = append(s.names, tagged{Reference: one.Reference.EntryName(), Digest: one.Digest, other: one.Other})
	}
	s.noteWritten(all)
	return err
}

// resolveWritten finds what becomes of the names of a layout or a lock.
func (r *resolver) resolveWritten(ctx context.Context, s *side) error {
	if s.layout != "" {
		in, err := store.OpenLayout(s.layout, store.OpenOptions{})
		if err != nil {
			return err
		}
		s.written, err = engine.Written(ctx, in)
		return errors.Join(err, in.Close())
	}
	if s.lock == nil {
		return nil
	}
	sparse := slices.DeleteFunc(s.lock.Selections(""), func(one config.Selection) bool { return len(one.Platforms) == 0 })
	r.ofWritten = true
	all, err := r.ask(ctx, sparse)
	s.noteWritten(all)
	return err
}

func (s *side) noteWritten(all []engine.Resolved) {
	for _, one := range all {
		if one.Written != "" && one.Written != one.Digest {
			if s.written == nil {
				s.written = make(map[string]digest.Digest)
			}
			s.written[one.Reference.EntryName()] = one.Written
		}
	}
}

// ask resolves selections, all or nothing.
func (r *resolver) ask(ctx context.Context, selections []config.Selection) ([]engine.Resolved, error) {
	resolve := engine.Resolve
	if r.ofWritten {
		resolve = engine.ResolveWritten
	} else if r.ofBoth {
		resolve = engine.ResolveBoth
	}
	all, err := resolve(ctx, r.client, selections, engine.BackupOptions{Concurrency: r.concurrency, Progress: r.progress})
	for _, one := range all {
		err = errors.Join(err, one.Err)
	}
	foreign := func(one engine.Resolved) bool { return one.Err == nil && one.Digest.Algorithm() != digest.Canonical }
	if err == nil && !r.ofBoth && !r.ofWritten && slices.ContainsFunc(all, foreign) {
		r.ofBoth = true
		return r.ask(ctx, selections)
	}
	return all, err
}

// align gives the names of two sides the same shape.
func align(a, b *side, spec *config.Spec, d destinationFlags) error {
	if a.lock == nil || b.lock == nil { // what comes along is known of locks alone
		a.digestsOnly()
		b.digestsOnly()
	}
	switch {
	case a.base == "" && b.base == "":
		return nil
	case a.base != "" && b.base != "":
		a.below()
		b.below()
		return nil
	case b.base == "":
		a, b = b, a
	}
	if a.hasOf(b.base) {
		return nil
	}
	m, err := d.mapper(firstSpec(spec, a.spec))
	if err != nil {
		return err
	}
	b.below()
	return a.place(m)
}

func (s *side) digestsOnly() {
	for i := range s.names {
		s.names[i].with = ""
	}
}

// hasOf keeps what is of a registry and namespace, if there is anything.
func (s *side) hasOf(base string) bool {
	var some []tagged
	for _, t := range s.names {
		if _, ok := cutBase(t.Reference, base); ok && isTagged(t) {
			some = append(some, t)
		}
	}
	if len(some) > 0 {
		s.names = some
	}
	return len(some) > 0
}

func isTagged(t tagged) bool { return !strings.Contains(t.Reference, "@") }

// cutBase cuts REGISTRY[/NAMESPACE] off at the boundary of a path.
func cutBase(reference, base string) (string, bool) {
	rest, ok := strings.CutPrefix(reference, base)
	if !ok || rest == "" || rest[0] != '/' && rest[0] != ':' {
		return "", false
	}
	return rest[1:], true
}

// below makes paths below the side's base of its names; a tag of the base itself
// is the bare tag.
func (s *side) below() {
	for i, t := range s.names {
		if rest, ok := cutBase(t.Reference, s.base); ok {
			s.names[i].Reference = rest
		}
	}
}

// place makes of the names what a restore would call them, and write under them.
// Bare tags stay.
func (s *side) place(m *config.Mapper) error {
	placed := s.names[:0]
	for _, t := range s.names {
		if !isTagged(t) {
			continue
		}
		if written := s.written[t.Reference]; written != "" {
			t.Digest, t.other = written, ""
		}
		ref, err := config.ParseReference(t.Reference)
		if err == nil {
			repository, tag, ok, err := m.Map(ref)
			if err != nil {
				return err
			}
			if !ok {
				continue
			}
			t.Reference = cmp.Or(repository, ref.Repository) + ":" + tag
		}
		placed = append(placed, t)
	}
	s.names = placed
	return nil
}
