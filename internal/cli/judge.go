package cli

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/opencontainers/go-digest"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/engine/restore"
	"github.com/oras-mirror/oras-mirror/internal/statement"
	"github.com/oras-mirror/oras-mirror/store"
)

// judge is a mirror spec by which the content of an input is judged, without a network. The zero
// value is no spec.
type judge struct {
	spec     *config.Spec
	policies engine.Trust    // nil if it has none
	lock     *statement.Lock // the lock beside it; nil if there is none
	text     []byte          // of the lock
}

// readJudge reads a spec and the lock beside it, which need not be valid.
func readJudge(path string) (by judge, err error) {
	if path == "" {
		return by, nil
	}
	if by.spec, err = config.Load(path); err != nil {
		return by, err
	}
	if by.policies, err = loadTrust(by.spec); err != nil {
		return by, err
	}
	by.text, err = os.ReadFile(config.LockPath(path))
	if errors.Is(err, fs.ErrNotExist) {
		return by, nil
	}
	if err != nil {
		return by, err
	}
	by.lock = &statement.Lock{Name: filepath.Base(config.LockPath(path)), Digest: digest.FromBytes(by.text)}
	return by, nil
}

// check returns a report of each artifact of a layout that a policy asks about.
func (by judge) check(ctx context.Context, l store.Layout) ([]engine.ArtifactReport, error) {
	if by.policies == nil {
		return nil, nil
	}
	check, err := restore.NewSignatureCheck(ctx, l, by.policies)
	if err != nil {
		return nil, err
	}
	return check.Run(ctx)
}
