package serve

import (
	"context"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/oras-mirror/oras-mirror/internal/bounds"
	"github.com/oras-mirror/oras-mirror/store"
)

// content is one state of the inputs, from when they were opened.
type content struct {
	identities []identity
	inputs     []*input
	table      *table
	memory     int64 // accounted for the table

	users atomic.Int64 // requests, and the registry while it is the current one

	mu      sync.Mutex // guards scanned
	scanned map[int32]*scan
}

func newContent() *content {
	c := &content{scanned: make(map[int32]*scan)}
	c.users.Store(1)
	return c
}

// release closes the inputs after the last user.
func (c *content) release() {
	if c.users.Add(-1) > 0 {
		return
	}
	for _, in := range c.inputs {
		_ = in.layout.Close() // it was only read
	}
	bounds.Give(c.memory)
}

// input is one layout.
type input struct {
	path     string
	layout   store.Layout
	verified time.Time // all blobs that are older were hashed; zero: none
	verdicts verdicts
}

// open opens an input, and checks it if the options say so.
func (r *Registry) open(ctx context.Context, id identity) (*input, error) {
	began := time.Now()
	layout, err := r.options.Open(id.path)
	if err != nil {
		return nil, err
	}
	in := &input{path: id.path, layout: layout}
	if r.options.Check == nil {
		return in, nil
	}
	v, err := r.options.Check(ctx, id.path, layout)
	if err != nil {
		_ = layout.Close() // it was only read
		return nil, err
	}
	if v.LeftOver == 0 { // else some blobs were not hashed
		in.verified = began
	}
	return in, nil
}

// identity identifies a state of an input by its archive, or by index.json of a directory,
// which is replaced after everything that it references is written.
type identity struct {
	path string
	info os.FileInfo
	err  error
}

func identities(paths []string) []identity {
	all := make([]identity, len(paths))
	for i, path := range paths {
		all[i].path = path
		all[i].info, all[i].err = os.Stat(path)
		if all[i].err == nil && all[i].info.IsDir() {
			all[i].info, all[i].err = os.Stat(filepath.Join(path, "index.json"))
		}
	}
	return all
}

func sameIdentities(a, b []identity) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if !a[i].same(b[i]) {
			return false
		}
	}
	return true
}

func (a identity) same(b identity) bool {
	if a.err != nil || b.err != nil {
		return a.err != nil && b.err != nil && a.err.Error() == b.err.Error()
	}
	return os.SameFile(a.info, b.info) && a.info.Size() == b.info.Size() && a.info.ModTime().Equal(b.info.ModTime())
}
