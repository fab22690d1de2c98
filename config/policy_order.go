package config

import (
	"fmt"
	"slices"
	"strings"

	"github.com/oras-mirror/oras-mirror/internal/glob"
	"github.com/oras-mirror/oras-mirror/internal/strictyaml"
)

// checkPolicies reports the globs that match only what earlier policies decide.
func checkPolicies(o strictyaml.Object, all []Policy) {
	var d decided
	for i, p := range all {
		for k, pattern := range p.Match {
			by := d.by(pattern)
			if len(by) == 0 {
				continue
			}
			var names []string
			for _, one := range by {
				at := strictyaml.Element("policies", one.policy)
				names = append(names, fmt.Sprintf("%q of %s on line %d", one.pattern, at, o.Position(at).Line))
			}
			verb := "comes"
			if len(names) > 1 {
				verb = "come"
			}
			at := strictyaml.Element(strictyaml.Element("policies", i)+".match", k)
			o.Fault(at, fmt.Sprintf("%q never decides: %s %s first", pattern, strings.Join(names, " and "), verb))
		}
		for _, pattern := range p.Match { // one policy may say a thing twice
			d.add(pattern, i)
		}
	}
}

// decided has the globs of policies, by each of their alternatives in canonical spelling.
type decided struct {
	first map[string]decision
	count int
}

// decision is a glob of a policy. The first of two has the lower number.
type decision struct {
	number, policy int
	pattern        string
}

// mostAlternatives bounds the globs without braces that are kept. Those beyond are not compared.
const mostAlternatives = 100_000

// add adds a glob of a policy.
func (d *decided) add(pattern string, policy int) {
	if d.first == nil {
		d.first = make(map[string]decision)
	}
	d.count++
	for _, one := range glob.Alternatives(pattern) {
		one = canonicalGlob(one)
		if _, known := d.first[one]; !known && len(d.first) < mostAlternatives {
			d.first[one] = decision{d.count, policy, pattern}
		}
	}
}

// by returns the globs that match everything that another one does; nil if there is more.
func (d *decided) by(pattern string) (all []decision) {
	for _, one := range glob.Alternatives(pattern) {
		wider, found := d.wider(canonicalGlob(one))
		if !found {
			return nil
		}
		if !slices.Contains(all, wider) {
			all = append(all, wider)
		}
	}
	return all
}

// wider returns the first glob that matches everything that one without braces does: the same, **,
// or one with ** below a prefix of it.
func (d *decided) wider(one string) (wider decision, found bool) {
	candidates := []string{one, "**"}
	for i := 0; i <= len(one); i++ {
		if i < len(one) && strings.IndexByte(globMeta, one[i]) >= 0 {
			break
		}
		if i == len(one) || one[i] == '/' {
			candidates = append(candidates, one[:i]+"/**")
		}
	}
	for _, candidate := range candidates {
		if by, known := d.first[candidate]; known && (!found || by.number < wider.number) {
			wider, found = by, true
		}
	}
	return wider, found
}
