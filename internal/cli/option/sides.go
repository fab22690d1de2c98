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

// SidesFlags say how the registries are reached that a sync copies from, and those that it
// copies to. They win over the flags for both.
type SidesFlags struct {
	From sideFlags `embed:"" prefix:"from-"`
	To   sideFlags `embed:"" prefix:"to-"`
}

// sideFlags are the flags of one side, with the names that oras cp gives them.
type sideFlags struct {
	Username         string   `group:"Registries" placeholder:"NAME" help:"User name, for this side only, if it is one registry."`
	Password         string   `group:"Registries" placeholder:"PASSWORD" help:"Password, for this side only. Other users of this machine can see it."`
	PasswordStdin    bool     `group:"Registries" help:"Read the password of this side from standard input."`
	IdentityToken    string   `group:"Registries" placeholder:"TOKEN" help:"Identity token, for this side only."`
	RegistryConfig   []string `group:"Registries" sep:"none" placeholder:"PATH" help:"Read credentials of this side from this file. Repeatable."`
	PlainHTTP        *bool    `group:"Registries" name:"plain-http" help:"Use http for this side."`
	Insecure         *bool    `group:"Registries" help:"Accept any certificate of this side."`
	CAFile           string   `group:"Registries" name:"ca-file" placeholder:"PATH" help:"Trust this certificate authority for this side."`
	CertFile         string   `group:"Registries" placeholder:"PATH" help:"Show this client certificate to this side."`
	KeyFile          string   `group:"Registries" placeholder:"PATH" help:"Key of the client certificate of this side."`
	Resolve          []string `group:"Registries" sep:"none" placeholder:"HOST:PORT:ADDRESS[:PORT]" help:"Connect to this address instead, for this side. Repeatable."`
	Header           []string `group:"Registries" sep:"none" placeholder:"'NAME: VALUE'" help:"Add this header to every request to this side. Repeatable."`
	DistributionSpec string   `group:"Registries" enum:",v1.1-referrers-api,v1.1-referrers-tag" default:"" placeholder:"VERSION" help:"How the registries of this side keep referrers."`
}

// Sides are the flags of both sides, with the registries of each.
type Sides struct {
	*SidesFlags
	Sources, Targets []string
}

// FilesNamed are those that the flags name.
func (f *SidesFlags) FilesNamed() []overwrite.File {
	return slices.Concat(f.From.files("--from-"), f.To.files("--to-"))
}

func (f *sideFlags) files(prefix string) []overwrite.File {
	all := []overwrite.File{{What: "the file of " + prefix + "ca-file", Path: f.CAFile}, {What: "the file of " + prefix + "cert-file", Path: f.CertFile}, {What: "the file of " + prefix + "key-file", Path: f.KeyFile}}
	for _, path := range f.RegistryConfig {
		all = append(all, overwrite.File{What: "the file of " + prefix + "registry-config", Path: path})
	}
	return all
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

// Validate is called by kong.
func (f *sideFlags) Validate() error {
	if (f.CertFile == "") != (f.KeyFile == "") {
		return exit.Usage("", "a client certificate takes both its certificate and its key")
	}
	secrets := 0
	for _, given := range []bool{f.Password != "", f.PasswordStdin, f.IdentityToken != ""} {
		if given {
			secrets++
		}
	}
	if secrets > 1 {
		return exit.Usage("", "a side has one password or identity token")
	}
	return nil
}

// credentials are those flags of a side that give a credential.
func (f *sideFlags) credentials() *credentialFlags {
	return &credentialFlags{Username: f.Username, Password: f.Password, PasswordStdin: f.PasswordStdin, IdentityToken: f.IdentityToken}
}

// side is one side, read from its flags.
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

// over puts the flags of a side over the settings of a registry, if it is on that side.
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

// merged returns a map with the entries of another over its own.
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

// apply puts the flags of the sides over the settings of each registry.
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
		return exit.Usage("log in with an account that may do both", "%s is on both sides: it takes one credential", s.Targets[0])
	}
	settings := o.Settings
	o.Settings = func(host string) (registry.Settings, error) {
		one, err := settings(host)
		return to.over(host, from.over(host, one)), err
	}
	return nil
}

// Names lists the flags of both sides that give credentials.
func (f *SidesFlags) Names() []string {
	return slices.Concat(f.From.credentials().Names(), f.To.credentials().Names())
}

// ClientOf makes the client of a run that copies from one side to the other.
func (f *RunFlags) ClientOf(spec *config.Spec, s Session, sides Sides) (*registry.Client, error) {
	hosts := slices.Concat(sides.Sources, sides.Targets)
	slices.Sort(hosts)
	return f.client(spec, s, slices.Compact(hosts), &sides)
}
