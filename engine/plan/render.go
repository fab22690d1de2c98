package plan

import (
	"context"
	"fmt"
	"io"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"oras.land/oras-go/v2/content"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/engine/internal/origin"
	"github.com/oras-mirror/oras-mirror/internal/helm"
)

// openArchive opens the .tgz of a chart.
type openArchive func(context.Context) (io.ReadCloser, error)

// maxSkipped bounds the notes about fields of one chart.
const maxSkipped = 5

// render returns a selection for each image of the manifests that a chart renders to.
func (s *sources) render(ctx context.Context, one config.Selection, name string, open openArchive) ([]config.Selection, error) {
	body, err := open(ctx)
	if err != nil {
		return nil, err
	}
	defer body.Close()
	manifests, err := helm.Template(ctx, one.Chart.Name, body, one.Chart.Values)
	if err != nil {
		return nil, err
	}
	found, err := config.FindRendered(name, manifests)
	if err != nil {
		return nil, err
	}
	for _, skipped := range found.Skipped[:min(len(found.Skipped), maxSkipped)] {
		s.notice(fmt.Sprintf("not looked at: %v", skipped))
	}
	var all []config.Selection
	for _, image := range found.Images {
		selected := one
		selected.Chart, selected.Optional, selected.Reference = nil, false, image.Reference
		selected.From = name + ", helm template"
		all = append(all, selected)
	}
	return all, nil
}

// open opens the .tgz, in memory or at its server.
func (c *helmChart) open(ctx context.Context) (io.ReadCloser, error) {
	made, err := c.origin.Load(ctx)
	if err != nil {
		return nil, err
	}
	return openVerified(ctx, c.origin, made.File)
}

// openVerified opens the .tgz of a chart, and has its bytes checked while they are read.
func openVerified(ctx context.Context, from origin.Origin, file ocispec.Descriptor) (io.ReadCloser, error) {
	body, err := from.Blob(ctx, file, 0, file.Size)
	if err != nil {
		return nil, err
	}
	return origin.Part{Reader: &verified{body, file.Digest, file.Digest.Verifier()}, Closer: body}, nil
}

// verified is a reader that fails at its end if the bytes do not have the digest.
type verified struct {
	in       io.Reader
	digest   digest.Digest
	verifier digest.Verifier
}

func (v *verified) Read(p []byte) (int, error) {
	n, err := v.in.Read(p)
	_, _ = v.verifier.Write(p[:n])
	if err == io.EOF && !v.verifier.Verified() {
		err = mismatched(v.digest)
	}
	return n, err
}

// mismatched reports the .tgz of a chart whose bytes do not have its digest.
func mismatched(d digest.Digest) error {
	return fmt.Errorf("%w: layer %s", content.ErrMismatchedDigest, d)
}
