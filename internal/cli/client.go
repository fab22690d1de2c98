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
	client, err := f.Client(spec, option.Session{Stdin: u.Stdin, StdinTerminal: u.StdinTerminal, AskPassword: u.AskPassword, Secrets: &u.Secrets,
		Retrying: u.Retries.Begin, Print: u.Print}, hosts)
	if err != nil {
		return nil, err
	}
	if f.Password != "" || f.IdentityToken != "" {
		u.Notice("other users of this machine can see a password on the command line; use --password-stdin or --identity-token-stdin")
	}
	u.Advise(func(h *advice.Hints) {
		*h = advice.Hints{CredentialFlags: len(f.Names()) > 0, CredentialFiles: f.RegistryConfig, BufferFlag: true}
	})
	return client, client.Check(hosts)
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
