// Package clientconfig writes what makes the runtimes of a cluster pull from a
// mirror: the files of containerd, podman and CRI-O, OpenShift, k3s and docker. It
// opens no connection. What a runtime cannot express is refused: a file that
// looks right and sends a pull elsewhere is worse than none.
package clientconfig

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Registry is how clients reach a registry: the mirror that they are to pull from,
// or a source, which stays the fallback.
type Registry struct {
	Host      string
	PlainHTTP bool
	Insecure  bool   // any certificate is believed
	CA        []byte // PEM of who signed its certificate; nil: clients know already
	ClientTLS bool   // it may ask who the client is, by a certificate
}

func (r Registry) url() string { return scheme(r.PlainHTTP) + r.Host }

// unproven says that there is no certificate, or that it need not be a good one.
func (r Registry) unproven() bool { return r.PlainHTTP || r.Insecure }

// authority is who signed its certificate, where that is asked.
func (r Registry) authority() []byte {
	if r.PlainHTTP {
		return nil
	}
	return r.CA
}

func scheme(plainHTTP bool) string {
	if plainHTTP {
		return "http://"
	}
	return "https://"
}

// Request is what clients are to be told.
type Request struct {
	Mirror    Registry
	Rewritten bool                // an index that was cut down has another digest in the mirror
	Routes    []Route             // from [Routes]
	Sources   map[string]Registry // by host; what is missing is reached by https, with a certificate that clients know
}

func (r *Request) source(host string) Registry {
	source := r.Sources[host]
	source.Host = host
	return source
}

// registries are the mirror and the sources, each once.
func (r *Request) registries() []Registry {
	all := []Registry{r.Mirror}
	for _, g := range groups(r.Routes) {
		if g.registry != r.Mirror.Host {
			all = append(all, r.source(g.registry))
		}
	}
	return all
}

// File is one file of a configuration.
type File struct {
	Name    string // with slashes, relative to the folder of the configuration
	Content []byte
}

// Config is what one runtime is to be given.
type Config struct {
	Files  []File
	Folder string   // where the files go on a node; "" for what is applied to a cluster
	Notes  []string // what the files cannot say, and somebody has to know or to do
}

func (c *Config) add(name, content string) {
	c.Files = append(c.Files, File{Name: name, Content: []byte(content)})
}

// note takes what was noted before only once.
func (c *Config) note(format string, a ...any) {
	if text := fmt.Sprintf(format, a...); !slices.Contains(c.Notes, text) {
		c.Notes = append(c.Notes, text)
	}
}

// warn notes what is true of the mirror, whatever the runtime.
func (c *Config) warn(r Request) {
	if r.Mirror.ClientTLS {
		c.note("the certificate by which %s knows us is ours alone: clients that it asks for one need their own", r.Mirror.Host)
	}
	if r.Rewritten {
		c.note("an index of which only some platforms were restored has another digest in %s: it is pulled from there by tag, not by digest", r.Mirror.Host)
	}
}

// Refusal says that a runtime has no way to pull something from the mirror.
type Refusal struct {
	Runtime string // "" if no runtime could
	Subject string // a reference, a registry, or a mirror
	Reason  string
	Hint    string // what to do about it; may be empty
}

func (e *Refusal) Error() string {
	if e.Runtime == "" {
		return fmt.Sprintf("%s: %s", e.Subject, e.Reason)
	}
	return fmt.Sprintf("%s: %s: %s", e.Runtime, e.Subject, e.Reason)
}

// Formats are the runtimes, as --format names them.
var Formats = []string{"containerd", "podman", "openshift", "k3s", "docker"}

// Write makes the configuration of one of [Formats]. What cannot be expressed is
// told all at once, as joined errors of type [*Refusal].
func Write(format string, r Request) (*Config, error) {
	write, ok := map[string]func(Request) (*Config, error){
		"containerd": containerd,
		"podman":     podman,
		"openshift":  openshift,
		"k3s":        k3s,
		"docker":     docker,
	}[format]
	if !ok {
		return nil, fmt.Errorf("unknown format %q", format)
	}
	if len(r.Routes) == 0 {
		return nil, &Refusal{Subject: r.Mirror.Host, Reason: "nothing is mirrored there"}
	}
	c, err := write(r)
	if err == nil {
		c.warn(r)
		slices.Sort(c.Notes)
	}
	return c, err
}

// Mark is in the first line of each file that can have comments.
const Mark = "Made by oras-mirror client-config"

func header(lines ...string) string {
	return "# " + Mark + ".\n# " + strings.Join(lines, "\n# ") + "\n"
}

// collect joins refusals; nil if there are none.
func collect(refusals []*Refusal) error {
	errs := make([]error, len(refusals))
	for i, r := range refusals {
		errs[i] = r
	}
	return errors.Join(errs...)
}
