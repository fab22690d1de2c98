package config

import (
	"slices"
	"time"

	"github.com/oras-mirror/oras-mirror/internal/strictyaml"
)

// ResolvePolicies returns the policies with the paths of their files expanded. Its error is a
// [*LoadError].
func (s *Spec) ResolvePolicies() ([]Policy, error) {
	if s == nil {
		return nil, nil
	}
	var all []Policy
	var faults []Fault
	for i, p := range s.Policies {
		resolved, more := s.resolvePolicy(i, p)
		all, faults = append(all, resolved), append(faults, more...)
	}
	return all, loadError(faults)
}

// resolvePolicy returns a copy of a policy, with the paths of its files expanded.
func (s *Spec) resolvePolicy(i int, p Policy) (Policy, []Fault) {
	var faults []Fault
	expand := func(key string, path *string) {
		if *path == "" {
			return
		}
		expanded, err := s.path(*path, time.Now())
		if err != nil {
			faults = append(faults, s.fault(strictyaml.Element("policies", i)+"."+key, err))
		}
		*path = expanded
	}
	if p.Cosign != nil {
		c := *p.Cosign
		c.Keys = slices.Clone(c.Keys)
		for k := range c.Keys {
			expand(strictyaml.Element("cosign.keys", k), &c.Keys[k])
		}
		expand("cosign.trustedRoot", &c.TrustedRoot)
		p.Cosign = &c
	}
	if p.Notation != nil {
		n := *p.Notation
		expand("notation.trustPolicy", &n.TrustPolicy)
		expand("notation.trustStore", &n.TrustStore)
		p.Notation = &n
	}
	return p, faults
}

// PolicyFault returns the fault of a policy that turned out invalid when it was used: in the
// value of a key such as "cosign.keys[0]". It is a [*LoadError].
func (s *Spec) PolicyFault(index int, key string, err error) error {
	return loadError([]Fault{s.policyFault(index, key, err)})
}

func (s *Spec) policyFault(index int, key string, err error) Fault {
	at := strictyaml.Element("policies", index)
	if _, written := s.positions[at+"."+key]; written {
		at += "." + key
	}
	return s.fault(at, err)
}

// policyFaults returns the faults of the policies and of the files that they name. load reads
// the files of one policy, and says which of its keys has a fault.
func (s *Spec) policyFaults(load func(p Policy) (key string, err error)) []Fault {
	var faults []Fault
	for i, p := range s.Policies {
		resolved, more := s.resolvePolicy(i, p)
		faults = append(faults, more...)
		if len(more) > 0 {
			continue
		}
		if key, err := load(resolved); err != nil {
			faults = append(faults, s.policyFault(i, key, err))
		}
	}
	return faults
}
