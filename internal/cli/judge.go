package cli

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/opencontainers/go-digest"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/config/filter"
	"github.com/oras-mirror/oras-mirror/config/lockfile"
	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/engine/restore/source"
	"github.com/oras-mirror/oras-mirror/internal/console"
	"github.com/oras-mirror/oras-mirror/internal/statement"
	"github.com/oras-mirror/oras-mirror/store"
	"github.com/oras-mirror/oras-mirror/store/oci"
)

// judge is a mirror spec by which the content of an input is judged, without a network. The zero
// value is no spec.
type judge struct {
	spec     *config.Spec
	policies engine.Trust    // nil if it has none
	lock     *statement.Lock // the lock beside it; nil if there is none
	text     []byte          // of the lock
	lockPath string          // where it is, or would be
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
	by.lockPath = lockfile.Path(path)
	by.text, err = os.ReadFile(by.lockPath)
	if errors.Is(err, fs.ErrNotExist) {
		return by, nil
	}
	if err != nil {
		return by, err
	}
	by.lock = &statement.Lock{Name: filepath.Base(by.lockPath), Digest: digest.FromBytes(by.text)}
	return by, nil
}

// unasked counts the artifacts that need no signature, without the tags of cosign, which belong
// to their images. An artifact with an invalid name is refused instead.
func (by judge) unasked(index *oci.Index) (n int) {
	if by.policies == nil {
		return 0
	}
	for _, e := range index.Entries {
		ref, ok := config.ParseEntryName(e.Name)
		if ok && !filter.IsReferrersTag(ref.Tag) && by.policies.Policy(ref.Name()) == nil {
			n++
		}
	}
	return n
}

// judges reports whether a policy decides about one of some artifacts.
func (by judge) judges(references []string) bool {
	return by.policies != nil && slices.ContainsFunc(references, func(reference string) bool {
		ref, ok := config.ParseEntryName(reference)
		return ok && by.policies.Policy(ref.Name()) != nil
	})
}

// signature is the verdict of a policy about an artifact, in a fraction of the memory of a report.
type signature struct {
	Reference string
	SignedBy  []string
	Err       error // nil: accepted
}

// signers are the accepted signers of artifacts, by reference.
type signers struct {
	asked, refused int // artifacts that policies ask about, and those of them that they do not accept
	of             map[string][]string
	known          map[string][]string // each list once: few sign many
}

// check prints the artifacts of a layout that no policy accepts, and returns the signers of the
// others.
func (by judge) check(ctx context.Context, u *console.Console, l store.Layout) (signers, error) {
	s := signers{of: make(map[string][]string), known: make(map[string][]string)}
	if by.policies == nil {
		return s, nil
	}
	check, err := source.NewSignatureCheck(ctx, l, by.policies)
	if err != nil {
		return s, err
	}
	err = check.Each(ctx, func(a engine.ArtifactReport) {
		s.asked++
		if a.Err != nil {
			s.refused++
			u.Fail(a.Err)
			return
		}
		s.add(a)
	})
	return s, err
}

func (s *signers) add(a engine.ArtifactReport) {
	text := strings.Join(a.SignedBy, "\n")
	list, known := s.known[text]
	if !known {
		list = a.SignedBy
		s.known[text] = list
	}
	s.of[a.Reference] = list
}
