// Package clientconfig writes the configuration that makes container runtimes pull
// from a mirror: the files of containerd, podman and CRI-O, OpenShift, k3s and docker.
//
// [Routes] computes where the artifacts of a spec are in a mirror, and [Write] tells one
// runtime about it. The package reads no files and opens no connections. It refuses what
// a runtime cannot express: a file that looks right and sends a pull elsewhere is worse
// than none.
package clientconfig

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Registry describes how clients reach a registry: the mirror that they pull from, or
// a source, which stays the fallback.
type Registry struct {
	Host      string
	PlainHTTP bool
	Insecure  bool   // clients do not verify its certificate
	CA        []byte // PEM certificates of the authority that signed its certificate; nil: the system's
	ClientTLS bool   // it may ask for a client certificate
}

func (r Registry) url() string { return scheme(r.PlainHTTP) + r.Host }

// unverified reports whether clients verify no certificate of the registry.
func (r Registry) unverified() bool { return r.PlainHTTP || r.Insecure }

// authority returns CA, or nil if there is no certificate to verify.
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

// Request describes what a configuration tells clients.
type Request struct {
	Mirror    Registry
	Rewritten bool                // an index restored with only some platforms has a different digest in the mirror
	Routes    []Route             // from [Routes]
	Sources   map[string]Registry // by host; default: https, with a certificate that the system trusts
}

func (r *Request) source(host string) Registry {
	source := r.Sources[host]
	source.Host = host
	return source
}

// registries returns the mirror and the sources, each once.
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

// Config is the configuration of one runtime.
type Config struct {
	Files  []File
	Folder string   // where the files go on a node; "" if they are applied to a cluster
	Notes  []string // what the user has to know or to do besides
}

func (c *Config) add(name, content string) {
	c.Files = append(c.Files, File{Name: name, Content: []byte(content)})
}

// note adds a note, unless it is there already.
func (c *Config) note(format string, a ...any) {
	if text := fmt.Sprintf(format, a...); !slices.Contains(c.Notes, text) {
		c.Notes = append(c.Notes, text)
	}
}

// warn adds the notes that do not depend on the runtime.
func (c *Config) warn(r Request) {
	if r.Mirror.ClientTLS {
		c.note("%s may ask for a client certificate: clients need their own", r.Mirror.Host)
	}
	if r.Rewritten {
		c.note("an index restored with only some platforms has a different digest in %s: pull it by tag, not by digest", r.Mirror.Host)
	}
}

// Refusal is the error for something that a runtime has no way to pull from the mirror.
type Refusal struct {
	Runtime string // "" if no runtime can
	Subject string // a reference, a registry, or a mirror
	Reason  string
	Hint    string // what the user can do about it; may be empty
}

func (e *Refusal) Error() string {
	if e.Runtime == "" {
		return fmt.Sprintf("%s: %s", e.Subject, e.Reason)
	}
	return fmt.Sprintf("%s: %s: %s", e.Runtime, e.Subject, e.Reason)
}

// Mark stands in the first line of each file whose format has comments. It tells the
// files of this program from those of others.
const Mark = "Made by oras-mirror client-config"

func header(lines ...string) string {
	return "# " + Mark + ".\n# " + strings.Join(lines, "\n# ") + "\n"
}

// collect joins refusals. It returns nil if there are none.
func collect(refusals []*Refusal) error {
	errs := make([]error, len(refusals))
	for i, r := range refusals {
		errs[i] = r
	}
	return errors.Join(errs...)
}
