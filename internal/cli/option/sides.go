package option

import (
	"cmp"
	"maps"
	"slices"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/engine/registry"
	"github.com/oras-mirror/oras-mirror/internal/exit"
	"github.com/oras-mirror/oras-mirror/internal/overwrite"
)

// SidesFlags set how to reach the registries that a sync copies from, and those that it
// copies to. They override the flags for both sides.
type SidesFlags struct {
	From sideFlags `embed:"" prefix:"from-" xorprefix:"from-"`
	To   sideFlags `embed:"" prefix:"to-" xorprefix:"to-"`
}

// sideFlags are the flags of one side, with the names that oras cp gives them.
type sideFlags struct {
	Username         string   `group:"Registries" placeholder:"NAME" help:"Log in to this side with this user name; for a side with only one registry."`
	Password         string   `group:"Registries" xor:"secret" placeholder:"PASSWORD" help:"Log in to this side with this password. Other users of this machine can see it."`
	PasswordStdin    bool     `group:"Registries" xor:"secret" help:"Read the password of this side from standard input."`
	IdentityToken    string   `group:"Registries" xor:"secret" placeholder:"TOKEN" help:"Log in to this side with this identity token."`
	RegistryConfig   []string `group:"Registries" sep:"none" placeholder:"PATH" help:"Read credentials of this side from this file. Repeatable."`
	PlainHTTP        *bool    `group:"Registries" name:"plain-http" help:"Use http for this side."`
	Insecure         *bool    `group:"Registries" help:"Accept any certificate of this side."`
	CAFile           string   `group:"Registries" name:"ca-file" placeholder:"PATH" help:"Trust this certificate authority for this side."`
	CertFile         string   `group:"Registries" and:"client-certificate" placeholder:"PATH" help:"Authenticate to this side with this client certificate."`
	KeyFile          string   `group:"Registries" and:"client-certificate" placeholder:"PATH" help:"Use this key of the client certificate of this side."`
	Resolve          []string `group:"Registries" sep:"none" placeholder:"HOST:PORT:ADDRESS[:PORT]" help:"Connect to ADDRESS instead of HOST:PORT, for this side. Repeatable."`
	Header           []string `group:"Registries" sep:"none" placeholder:"'NAME: VALUE'" help:"Add this header to every request to this side. Repeatable."`
	DistributionSpec string   `group:"Registries" enum:",v1.1-referrers-api,v1.1-referrers-tag" default:"" placeholder:"VERSION" help:"Set how the registries of this side keep referrers."`
}

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
func (f *sideFlags) credentials() *credentialFlags {
	return &credentialFlags{Username: f.Username, Password: f.Password, PasswordStdin: f.PasswordStdin, IdentityToken: f.IdentityToken}
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
	credentials := f.credentials()
	if names := credentials.Names(); len(names) > 0 && len(hosts) > 1 {
		return nil, credentials.tooMany("--"+prefix+names[0][2:], hosts)
	}
	var err error
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
		return exit.Usage("use one account that has both permissions", "%s is on both sides: --from- and --to- cannot give it two credentials", s.Targets[0])
	}
	settings := o.Settings
	o.Settings = func(host string) (registry.Settings, error) {
		one, err := settings(host)
		return to.over(host, from.over(host, one)), err
	}
	return nil
}

// Names lists the flags that give a credential to a side, without their prefixes.
func (f *SidesFlags) Names() []string {
	return slices.Concat(f.From.credentials().Names(), f.To.credentials().Names())
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
	return f.client(spec, s, slices.Compact(hosts), &sides)
}
