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
	return client, begun(u, f, client, hosts)
}

// startSides is start for a run from one side to the other.
func startSides(u *console.Console, f *option.RunFlags, spec *config.Spec, sides option.Sides) (*registry.Client, error) {
	client, err := f.ClientOf(spec, sessionOf(u), sides)
	if err != nil {
		return nil, err
	}
	err = begun(u, f, client, slices.Concat(sides.Sources, sides.Targets))
	u.Advise(func(h *advice.Hints) { h.CredentialFlags = h.CredentialFlags || len(sides.Names()) > 0 })
	return client, err
}

// begun advises the console, and checks the settings of the registries.
func begun(u *console.Console, f *option.RunFlags, client *registry.Client, hosts []string) error {
	if f.Password != "" || f.IdentityToken != "" {
		u.Notice("other users of this machine can see a password on the command line; use --password-stdin or --identity-token-stdin")
	}
	u.Advise(func(h *advice.Hints) {
		*h = advice.Hints{CredentialFlags: len(f.Names()) > 0, CredentialFiles: f.RegistryConfig, BufferFlag: true}
	})
	return client.Check(hosts)
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
