// Package trust decides whether an artifact is signed as the policies of a spec demand. It
// works on bytes that it is given, and on files that stand beside the spec; it never uses a
// network and runs no program. Signatures are sigstore bundles and signature tags of cosign,
// and those of notation.
package trust

import (
	"strings"

	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/internal/dockerhub"
)

// Policies are the policies of a spec, with their keys, trusted roots and trust stores.
type Policies struct{ all []*policy }

var (
	_ engine.Trust  = (*Policies)(nil)
	_ engine.Policy = (*policy)(nil)
)

// Load checks policies and reads the files that they name. Its error is a *PolicyError.
func Load(policies []Policy) (*Policies, error) {
	loaded := &Policies{}
	for i, p := range policies {
		one, err := p.load()
		if err != nil {
			return nil, &PolicyError{Index: i, Key: err.key, Err: err.err}
		}
		loaded.all = append(loaded.all, one)
	}
	return loaded, nil
}

// Policy returns the first policy with a glob that matches the repository. It is nil if there
// is none, and if it accepts unsigned artifacts.
func (p *Policies) Policy(repository string) engine.Policy {
	repository = canonical(repository)
	for _, one := range p.all {
		if !one.matches(repository) {
			continue
		}
		if one.accept == AcceptUnsigned {
			return nil
		}
		return one
	}
	return nil
}

// canonical spells a repository or a glob in the one way that is compared: another spelling
// of the same registry must not evade a policy. Case has no meaning in the name of a host, and
// repositories are lower case.
func canonical(name string) string {
	host, path, slash := strings.Cut(strings.ToLower(name), "/")
	host = strings.TrimSuffix(host, ":443")
	if !slash {
		return host
	}
	return dockerhub.Rename(host + "/" + path)
}
