package cli

import (
	"slices"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/engine/registry"
	"github.com/oras-mirror/oras-mirror/internal/advice"
	"github.com/oras-mirror/oras-mirror/internal/cli/option"
	"github.com/oras-mirror/oras-mirror/internal/console"
)

// start makes the client of a run for the registries of hosts.
func start(u *console.Console, f *option.RunFlags, spec *config.Spec, hosts []string) (*registry.Client, error) {
	client, err := f.Client(spec, sessionOf(u), hosts)
	if err != nil {
		return nil, err
	}
	adviseOn(u, f, f.Password != "" || f.IdentityToken != "")
	return client, client.Check(hosts)
}

// startSides is start for a run from one side to the other.
func startSides(u *console.Console, f *option.RunFlags, spec *config.Spec, sides option.Sides) (*registry.Client, error) {
	client, err := f.ClientOfSides(spec, sessionOf(u), sides)
	if err != nil {
		return nil, err
	}
	adviseOn(u, f, f.Password != "" || f.IdentityToken != "" || sides.ShowsSecret())
	u.Advise(func(h *advice.Hints) { h.CredentialFlags = h.CredentialFlags || len(sides.Names()) > 0 })
	return client, client.Check(slices.Concat(sides.Sources, sides.Targets))
}

// adviseOn sets the hints for the flags of a run, and warns of a secret on the command line.
func adviseOn(u *console.Console, f *option.RunFlags, showsSecret bool) {
	if showsSecret {
		u.Notice("other users of this machine can see a password on the command line; use --password-stdin or --identity-token-stdin")
	}
	u.Advise(func(h *advice.Hints) {
		*h = advice.Hints{CredentialFlags: len(f.Names()) > 0, CredentialFiles: f.RegistryConfig, BufferFlag: true}
	})
}

func sessionOf(u *console.Console) option.Session {
	return option.Session{Stdin: u.Stdin, StdinTerminal: u.StdinTerminal, AskPassword: u.AskPassword, Secrets: &u.Secrets,
		Retrying: u.Retries.Begin, Print: u.Print}
}

// hostsOf lists the registries of some items, each once, in order.
func hostsOf[T any](all []T, host func(T) string) []string {
	var hosts []string
	for _, one := range all {
		if h := host(one); h != "" && !slices.Contains(hosts, h) {
			hosts = append(hosts, h)
		}
	}
	return hosts
}

// union returns the hosts of a, and those of b that it lacks.
func union(a, b []string) []string {
	return hostsOf(slices.Concat(a, b), func(host string) string { return host })
}
