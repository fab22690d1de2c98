package content

import (
	"context"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/store"
	"github.com/oras-mirror/oras-mirror/store/verify"
)

// Options say what is served. Inputs is required.
type Options struct {
	Inputs []store.Place // directories and archives, also in buckets, which are served as one
	// Mapper gives the names that a restore would give; nil drops the registry of a name.
	Mapper *config.Mapper
	// Repository is the repository of artifacts with a bare tag or no name. Its registry may
	// be empty; without a repository these are not served.
	Repository config.Reference
	// Check is called with each input before it is served, and hashes all of it; nil: each
	// blob is hashed when it is sent for the first time.
	Check func(ctx context.Context, path string, l store.Layout) (*verify.Result, error)
	// Notice is called with notes for the user; it may be nil.
	Notice func(text string)
}

// UnnamedError reports that no artifact of the inputs has a repository in its name.
type UnnamedError struct{ Path string }

func (e *UnnamedError) Error() string {
	return e.Path + ": no artifact has a repository in its name"
}
