package option

import (
	"cmp"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/engine/registry"
	"github.com/oras-mirror/oras-mirror/internal/exit"
	"github.com/oras-mirror/oras-mirror/internal/overwrite"
)

// SidesFlags set how to reach the registries that a sync copies from, and those that it
// copies to. They override the flags for both sides.
type SidesFlags struct {
	From sideFlags `embed:"" prefix:"from-" xorprefix:"from-" group:"Sources" set:"side=sources"`
	To   sideFlags `embed:"" prefix:"to-" xorprefix:"to-" group:"Targets" set:"side=targets"`
}

// sideFlags are the flags of one side, with the names that oras cp gives them.
type sideFlags struct {
	Username         string   `placeholder:"NAME" help:"Log in to the ${side} with this user name; for a run with only one registry there."`
	Password         string   `placeholder:"PASSWORD" xor:"secret" help:"Log in to the ${side} with this password. Other users of this machine can see it."`
	PasswordStdin    bool     `xor:"secret" help:"Read the password for the ${side} from standard input."`
	IdentityToken    string   `placeholder:"TOKEN" xor:"secret" help:"Log in to the ${side} with this identity token."`
	RegistryConfig   []string `sep:"none" placeholder:"PATH" help:"Read credentials for the ${side} from this file. Repeatable."`
	PlainHTTP        *bool    `name:"plain-http" help:"Use http for the ${side}; with =false use https."`
	Insecure         *bool    `help:"Accept any certificate of the ${side}."`
	CAFile           string   `name:"ca-file" placeholder:"PATH" help:"Trust this certificate authority for the ${side}."`
	CertFile         string   `and:"client-certificate" placeholder:"PATH" help:"Authenticate to the ${side} with this client certificate."`
	KeyFile          string   `and:"client-certificate" placeholder:"PATH" help:"Use this key of that certificate."`
	Resolve          []string `sep:"none" placeholder:"HOST:PORT:ADDRESS[:PORT]" help:"Connect to ADDRESS instead of HOST:PORT of the ${side}. Repeatable."`
	Header           []string `sep:"none" placeholder:"'NAME: VALUE'" help:"Add this header to every request to the ${side}. Repeatable."`
	DistributionSpec string   `enum:",v1.1-referrers-api,v1.1-referrers-tag" default:"" placeholder:"VERSION" help:"Set how the ${side} keep referrers: v1.1-referrers-api or v1.1-referrers-tag."`
}

// Given reports whether any of the flags was given.
func (f *SidesFlags) Given() bool { return !reflect.ValueOf(*f).IsZero() }

// Sides has the flags of both sides, and the registries of each.
type Sides struct {
	*SidesFlags
	Sources, Targets []string
}

// FilesRead lists the files that the flags name.
func (f *SidesFlags) FilesRead() []overwrite.File {
	return slices.Concat(
		filesOf("--from-", f.From.CAFile, f.From.CertFile, f.From.KeyFile, f.From.RegistryConfig),
		filesOf("--to-", f.To.CAFile, f.To.CertFile, f.To.KeyFile, f.To.RegistryConfig))
}

// ClaimStdin claims standard input for the passwords of the sides.
func (f *SidesFlags) ClaimStdin(s *Stdin) error {
	if f.From.PasswordStdin {
		if err := s.Claim("--from-password-stdin"); err != nil {
			return err
		}
	}
	if f.To.PasswordStdin {
		return s.Claim("--to-password-stdin")
	}
	return nil
}

// credentials returns the flags of a side that give a credential.
func (f *sideFlags) credentials(prefix string) *credentialFlags {
	return &credentialFlags{prefix: prefix, Username: f.Username, Password: f.Password, PasswordStdin: f.PasswordStdin, IdentityToken: f.IdentityToken}
}

// side has the settings that the flags of one side give to its registries.
type side struct {
	*sideFlags
	hosts    []string
	settings registry.Settings
}

// read turns the flags of a side into settings for its registries.
func (f *sideFlags) read(prefix string, run Session, hosts []string) (*side, error) {
	s := &side{sideFlags: f, hosts: hosts}
	credentials := f.credentials(prefix)
	err := credentials.checkOneRegistry(hosts)
	if err != nil {
		return nil, err
	}
	if s.settings.Header, err = parseHeaders(f.Header); err != nil {
		return nil, err
	}
	run.Secrets.AddHeaders(s.settings.Header)
	if s.settings.Resolve, err = parseResolve(f.Resolve); err != nil {
		return nil, err
	}
	s.settings.Credential, err = credentials.credential(run, hosts)
	return s, err
}

// over returns the settings of a registry, overridden by the flags of the side if it is on
// that side.
func (s *side) over(host string, to registry.Settings) registry.Settings {
	if !slices.Contains(s.hosts, host) {
		return to
	}
	to.PlainHTTP = cmp.Or(s.PlainHTTP, to.PlainHTTP)
	if s.Insecure != nil {
		to.Insecure = *s.Insecure
	}
	to.CAFile = cmp.Or(s.CAFile, to.CAFile)
	if s.CertFile != "" {
		to.CertFile, to.KeyFile = s.CertFile, s.KeyFile
	}
	to.DistributionSpec = cmp.Or(s.DistributionSpec, to.DistributionSpec)
	to.Credential = cmp.Or(s.settings.Credential, to.Credential)
	if len(s.RegistryConfig) > 0 {
		to.CredentialFiles = s.RegistryConfig
	}
	to.Resolve = merged(to.Resolve, s.settings.Resolve)
	to.Header = merged(to.Header, s.settings.Header)
	return to
}

// merged returns m with the entries of over, which win.
func merged[M ~map[K]V, K comparable, V any](m, over M) M {
	if len(over) == 0 {
		return m
	}
	all := maps.Clone(m)
	if all == nil {
		all = make(M)
	}
	maps.Copy(all, over)
	return all
}

// apply makes the flags of each side override the settings of its registries.
func (s *Sides) apply(o *registry.Options, run Session) error {
	from, err := s.From.read("from-", run, s.Sources)
	if err != nil {
		return err
	}
	to, err := s.To.read("to-", run, s.Targets)
	if err != nil {
		return err
	}
	if from.settings.Credential != nil && to.settings.Credential != nil && slices.Equal(s.Sources, s.Targets) {
		return exit.Usage("use --username with an account that can pull and push", "%s is the source and the target, and takes only one login", s.Targets[0])
	}
	settings := o.Settings
	o.Settings = func(host string) (registry.Settings, error) {
		one, err := settings(host)
		return to.over(host, from.over(host, one)), err
	}
	return nil
}

// Names lists the flags that give a credential to a side.
func (f *SidesFlags) Names() []string {
	return slices.Concat(f.From.credentials("from-").Names(), f.To.credentials("to-").Names())
}

// ShowsSecret reports whether a flag shows a password or a token to other users of this
// machine.
func (f *SidesFlags) ShowsSecret() bool {
	return cmp.Or(f.From.Password, f.From.IdentityToken, f.To.Password, f.To.IdentityToken) != ""
}

// ClientOfSides makes the client of a run that copies from one side to the other.
func (f *RunFlags) ClientOfSides(spec *config.Spec, s Session, sides Sides) (*registry.Client, error) {
	hosts := slices.Concat(sides.Sources, sides.Targets)
	slices.Sort(hosts)
	hosts = slices.Compact(hosts)
	if names := f.Names(); len(names) > 0 && len(hosts) > 1 {
		name := strings.TrimPrefix(names[0], "--")
		return nil, tooMany(names[0], hosts, fmt.Sprintf("use --from-%s for the sources and --to-%[1]s for the targets", name))
	}
	return f.client(spec, s, hosts, &sides)
}
