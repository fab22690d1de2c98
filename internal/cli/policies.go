package cli

import (
	"errors"
	"fmt"
	"strings"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/internal/console"
	"github.com/oras-mirror/oras-mirror/internal/text"
	"github.com/oras-mirror/oras-mirror/internal/trust"
)

// loadTrust returns the policies of a spec with their keys and certificates; nil if it has none.
func loadTrust(spec *config.Spec) (engine.Trust, error) {
	policies, err := spec.ResolvePolicies()
	if err != nil || len(policies) == 0 {
		return nil, err
	}
	all := make([]trust.Policy, len(policies))
	for i, p := range policies {
		all[i] = policyOf(p)
	}
	loaded, err := trust.Load(all)
	if invalid, is := errors.AsType[*trust.PolicyError](err); is {
		return nil, spec.PolicyFault(invalid.Index, invalid.Key, invalid.Err)
	}
	if err != nil {
		return nil, err
	}
	return loaded, nil
}

// unmatched lists the repositories of selections that no policy of a spec matches, each once, and counts
// all of them. Those of a catalog and of a layout are not known yet.
func unmatched(spec *config.Spec, all []config.Selection) (repositories []string, of int) {
	if spec == nil || len(spec.Policies) == 0 {
		return nil, 0
	}
	var globs []string
	for _, p := range spec.Policies {
		globs = append(globs, p.Match...)
	}
	matches := trust.Matcher(globs)
	seen := make(map[string]bool)
	for _, s := range all {
		name := s.Reference.Name()
		if s.Registry != "" || s.Layout != "" || seen[name] {
			continue
		}
		seen[name] = true
		if !matches(name) {
			repositories = append(repositories, name)
		}
	}
	return repositories, len(seen)
}

// maxUnmatched bounds the repositories that a note names.
const maxUnmatched = 5

// noticeUnmatched notes the repositories that no policy matches: what comes from them needs no
// signature.
func noticeUnmatched(u *console.Console, repositories []string, of int) {
	if len(repositories) == 0 {
		return
	}
	names := strings.Join(repositories[:min(len(repositories), maxUnmatched)], ", ")
	if more := len(repositories) - maxUnmatched; more > 0 {
		names += fmt.Sprintf(" and %s more", text.Thousands(more))
	}
	u.Notice("no policy matches %s of %s: %s", text.Thousands(len(repositories)), text.Count(of, "repository"), names)
}

// checkPolicy reads the files of a policy. It returns what the policy demands, or the key to
// blame for an error.
func checkPolicy(p config.Policy) (demands []string, key string, err error) {
	loaded, err := trust.Load([]trust.Policy{policyOf(p)})
	if invalid, is := errors.AsType[*trust.PolicyError](err); is {
		return nil, invalid.Key, invalid.Err
	}
	if err != nil {
		return nil, "", err
	}
	return loaded.Demands(), "", nil
}

// policyOf converts a policy of a spec, whose paths are expanded.
func policyOf(p config.Policy) trust.Policy {
	q := trust.Policy{Match: p.Match, Accept: trust.Accept(p.Accept), Signed: engine.Signed(p.Signed)}
	if c := p.Cosign; c != nil {
		q.Cosign = &trust.Cosign{Keys: c.Keys, TrustedRoot: c.TrustedRoot, SameRepository: c.SameRepository}
		for _, i := range c.Identities {
			q.Cosign.Identities = append(q.Cosign.Identities, trust.Identity(i))
		}
	}
	if n := p.Notation; n != nil {
		q.Notation = &trust.Notation{TrustPolicy: n.TrustPolicy, TrustStore: n.TrustStore}
	}
	return q
}
