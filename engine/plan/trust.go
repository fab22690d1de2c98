package plan

import (
	"context"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/engine/internal/scope"
	"github.com/oras-mirror/oras-mirror/internal/cosign"
)

// scopes makes the scopes of one selection, one for each repository with a policy and one for
// all others: 100,000 of them are 60 MB.
type scopes struct {
	trust  engine.Trust
	plain  *scope.Scope
	found  map[string]*scope.Scope // by repository
	denied map[string]error
}

func (p *Planner) scopesOf(s config.Selection) *scopes {
	return &scopes{trust: p.trust, plain: scope.Of(s), found: make(map[string]*scope.Scope), denied: make(map[string]error)}
}

// of returns the scope of an artifact.
func (s *scopes) of(ref config.Reference) *scope.Scope {
	if s.trust == nil {
		return s.plain
	}
	if _, attached := cosign.Subject(ref.Tag); attached {
		return s.plain.Under(s.trust, ref)
	}
	repository := ref.Name()
	if known := s.found[repository]; known != nil {
		return known
	}
	under := s.plain.Under(s.trust, ref)
	if under.HasPolicy() {
		s.denied[repository] = engine.Denial(s.trust.Policy(repository), repository)
	}
	s.found[repository] = under
	return under
}

// denial returns the error of an artifact that a policy refuses whatever its signatures are.
func (s *scopes) denial(ref config.Reference) error {
	if err := s.denied[ref.Name()]; err != nil {
		return artifactError(ref, engine.OpVerify, err)
	}
	return nil
}

// checkSignatures fails an artifact that is not signed as its policy demands.
func (p *Planner) checkSignatures(ctx context.Context, a *Artifact) {
	if !a.Scope.HasPolicy() {
		return
	}
	signedBy, err := p.SignedBy(ctx, a.Scope, a.Visit)
	if cause := context.Cause(ctx); err != nil && cause != nil {
		err = cause
	}
	if err != nil {
		a.Err, a.Visit = &engine.ArtifactError{Reference: a.Name, Op: engine.OpVerify, Err: err}, nil
		return
	}
	if len(signedBy) > 0 {
		a.few().signedBy = signedBy
	}
}
