package option

import (
	"errors"

	"github.com/oras-mirror/oras-mirror/internal/exit"
	"github.com/oras-mirror/oras-mirror/store"
)

// openBeside opens layouts beside an archive from standard input. A pipe is read once, so
// others can only lend it the blobs of its base.
func openBeside(in store.Input, paths []string, open func(path string) (store.Layout, error)) (store.Input, error) {
	fail := func(err error) (store.Input, error) { return nil, errors.Join(err, in.Close()) }
	paths, err := ExpandInputs(paths)
	if err != nil {
		return fail(err)
	}
	all, faults, err := store.OpenMembers(paths, open)
	if err != nil {
		return fail(err)
	}
	if len(faults) > 0 {
		store.CloseMembers(all)
		return fail(errors.Join(faults...))
	}
	stream, isPipe := in.(*store.Stream)
	if !isPipe {
		return unite(append(all, store.Member{Path: "-", Layout: in.(store.Layout)}))
	}
	if err := stream.Borrow(all); err != nil {
		store.CloseMembers(all)
		return fail(exit.Usage("save the archive to a file first", "%v", err))
	}
	return stream, nil
}

func unite(all []store.Member) (store.Input, error) {
	u, err := store.Unite(all)
	if err != nil {
		store.CloseMembers(all)
		return nil, err
	}
	return u, nil
}
