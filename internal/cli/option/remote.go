package option

import (
	"cmp"
	"maps"
	"net"
	"net/http"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/engine/registry"
	"github.com/oras-mirror/oras-mirror/engine/registry/transport"
	"github.com/oras-mirror/oras-mirror/internal/dockerhub"
	"github.com/oras-mirror/oras-mirror/internal/exit"
	"github.com/oras-mirror/oras-mirror/internal/overwrite"
	"github.com/oras-mirror/oras-mirror/internal/version"
)

// remoteFlags set how to reach registries. They have the names of the flags of oras, and
// override the spec for every registry of the run.
type remoteFlags struct {
	credentialFlags `group:"Registries"`

	RegistryConfig   []string `group:"Registries" sep:"none" placeholder:"PATH" help:"Read credentials from this file instead of the usual ones. Repeatable."`
	PlainHTTP        *bool    `group:"Registries" name:"plain-http" help:"Use http; with =false use https even for loopback names."`
	Insecure         *bool    `group:"Registries" help:"Accept any certificate."`
	CAFile           string   `group:"Registries" name:"ca-file" placeholder:"PATH" help:"Trust this certificate authority in addition to those of the system."`
	CertFile         string   `group:"Registries" and:"client-certificate" placeholder:"PATH" help:"Authenticate with this client certificate."`
	KeyFile          string   `group:"Registries" and:"client-certificate" placeholder:"PATH" help:"Use this key of the client certificate."`
	Resolve          []string `group:"Registries" sep:"none" placeholder:"HOST:PORT:ADDRESS[:PORT]" help:"Connect to ADDRESS instead of HOST:PORT. Repeatable."`
	Header           []string `group:"Registries" short:"H" sep:"none" placeholder:"'NAME: VALUE'" help:"Add this header to every request. Repeatable."`
	DistributionSpec string   `group:"Registries" enum:",v1.1-referrers-api,v1.1-referrers-tag" default:"" placeholder:"VERSION" help:"Set how registries keep referrers: v1.1-referrers-api or v1.1-referrers-tag; default: detect."`
	Concurrency      int      `group:"Registries" default:"16" placeholder:"N" help:"Send at most this many requests at once, over all registries; default ${default}."`
}

// FilesRead lists the files that the flags name.
func (f *remoteFlags) FilesRead() []overwrite.File {
	return filesOf("--", f.CAFile, f.CertFile, f.KeyFile, f.RegistryConfig)
}

// filesOf lists the files that flags with a prefix name.
func filesOf(prefix, ca, cert, key string, credentials []string) []overwrite.File {
	all := []overwrite.File{{What: "the file of " + prefix + "ca-file", Path: ca}, {What: "the file of " + prefix + "cert-file", Path: cert}, {What: "the file of " + prefix + "key-file", Path: key}}
	for _, path := range credentials {
		all = append(all, overwrite.File{What: "the file of " + prefix + "registry-config", Path: path})
	}
	return all
}

// options makes the options of a client from the flags and the spec. It reads the password
// if that comes on standard input.
func (f *remoteFlags) options(spec *config.Spec, run Session, hosts []string) (registry.Options, error) {
	if err := f.checkOneRegistry(hosts); err != nil {
		return registry.Options{}, err
	}
	over := registry.Settings{
		Settings:         transport.Settings{PlainHTTP: f.PlainHTTP, CAFile: f.CAFile, CertFile: f.CertFile, KeyFile: f.KeyFile},
		DistributionSpec: f.DistributionSpec,
	}
	var err error
	if over.Header, err = parseHeaders(f.Header); err != nil {
		return registry.Options{}, err
	}
	run.Secrets.AddHeaders(over.Header)
	run.Secrets.AddProxies(os.Environ())
	if over.Resolve, err = parseResolve(f.Resolve); err != nil {
		return registry.Options{}, err
	}
	if over.Credential, err = f.credential(run, hosts); err != nil {
		return registry.Options{}, err
	}
	return registry.Options{
		Transport: transport.Options{
			Concurrency:     f.Concurrency,
			CredentialFiles: f.RegistryConfig,
			Secret:          run.Secrets.Add,
			UserAgent:       "oras-mirror/" + version.Read().Version + " (" + runtime.GOOS + "; " + runtime.GOARCH + ")",
		},
		Settings: func(host string) (registry.Settings, error) {
			return f.settings(spec, host, over)
		},
	}, nil
}

// settings returns the settings of a registry: those of the flags, then those of the spec.
func (f *remoteFlags) settings(spec *config.Spec, host string, over registry.Settings) (registry.Settings, error) {
	from, err := spec.Registry(host)
	if err != nil {
		return registry.Settings{}, err
	}
	s := over
	s.Concurrency, s.RequestsPerSecond = from.Concurrency, from.RequestsPerSecond
	s.PlainHTTP = cmp.Or(over.PlainHTTP, from.PlainHTTP)
	s.CAFile = cmp.Or(over.CAFile, from.CAFile)
	s.DistributionSpec = cmp.Or(over.DistributionSpec, from.DistributionSpec)
	if over.CertFile == "" {
		s.CertFile, s.KeyFile = from.CertFile, from.KeyFile
	}
	for _, m := range from.Mirrors {
		s.Mirrors = append(s.Mirrors, registry.Mirror(m))
	}
	s.MirrorsOnly = from.MirrorsOnly
	s.Insecure = from.Insecure
	if f.Insecure != nil {
		s.Insecure = *f.Insecure
	}
	return s, nil
}

// Validate checks the flags; kong calls it.
func (f *remoteFlags) Validate() error {
	if f.Concurrency < 1 {
		return exit.Usage("", "--concurrency must be at least 1, not %d", f.Concurrency)
	}
	return nil
}

// parseHeaders parses the values of --header.
func parseHeaders(lines []string) (http.Header, error) {
	headers := make(http.Header)
	for _, line := range lines {
		name, value, ok := strings.Cut(line, ":")
		name = strings.TrimSpace(name)
		if !ok || name == "" || strings.ContainsFunc(line, notInHeader) || strings.ContainsAny(name, " \t") {
			return nil, exit.Usage("expected 'NAME: VALUE'", "invalid --header %q", headerName(line))
		}
		headers.Add(name, strings.TrimSpace(value))
	}
	return headers, nil
}

// headerName returns the part of an invalid header that can be shown: its value may be a
// secret, and it may lack a name.
func headerName(line string) string {
	name, _, _ := strings.Cut(line, ":")
	name, _, more := strings.Cut(strings.TrimSpace(name), " ")
	if more || len(name) < len(line) {
		return name + " ..."
	}
	return name
}

// notInHeader reports whether a character would end a header line or is not allowed in one
// (RFC 9110, section 5.5).
func notInHeader(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }

// parseResolve parses HOST:PORT:ADDRESS[:PORT], as in curl and oras. An IPv6 address is in
// brackets, or alone at the end.
func parseResolve(rules []string) (map[string]string, error) {
	addresses := make(map[string]string)
	for _, rule := range rules {
		from, to, ok := parseResolveRule(rule)
		if !ok {
			return nil, exit.Usage("expected HOST:PORT:ADDRESS[:PORT], for example registry.example:443:10.0.0.7:8443", "invalid --resolve %q", rule)
		}
		addresses[from] = to
	}
	addDockerHub(addresses)
	return addresses, nil
}

// addDockerHub applies a rule for any name of Docker Hub to the host that serves it.
func addDockerHub(addresses map[string]string) {
	for _, from := range slices.Sorted(maps.Keys(addresses)) {
		host, port, err := net.SplitHostPort(from)
		asked := net.JoinHostPort(dockerhub.Host, port)
		if _, ruled := addresses[asked]; err == nil && !ruled && dockerhub.IsRegistry(host) {
			addresses[asked] = addresses[from]
		}
	}
}

// parseResolveRule splits a rule into the address to replace and its replacement.
func parseResolveRule(rule string) (from, to string, ok bool) {
	parts := strings.SplitN(rule, ":", 3)
	if len(parts) < 3 || parts[0] == "" || !isPort(parts[1]) {
		return "", "", false
	}
	from, to = parts[0]+":"+parts[1], parts[2]
	if net.ParseIP(strings.Trim(to, "[]")) != nil {
		return from, to, true
	}
	host, port, err := net.SplitHostPort(to)
	return from, to, err == nil && net.ParseIP(host) != nil && isPort(port)
}

func isPort(s string) bool {
	n, err := strconv.ParseUint(s, 10, 16)
	return err == nil && n > 0
}
