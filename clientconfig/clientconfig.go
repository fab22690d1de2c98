// Package clientconfig writes what makes the runtimes of a cluster pull from a
// mirror: the files of containerd, podman and CRI-O, OpenShift, k3s and docker. It
// opens no connection. What a runtime cannot express is refused: a file that
// looks right and sends a pull elsewhere is worse than none.
package clientconfig

import (
	"errors"
	"fmt"
	"strings"
)

// Mirror is the registry that clients are to pull from.
type Mirror struct {
	Host      string
	PlainHTTP bool
	Insecure  bool   // any certificate is believed
	CA        []byte // PEM of who signed its certificate; nil: clients know already
}

func (m Mirror) url() string { return scheme(m.PlainHTTP) + m.Host }

func scheme(plainHTTP bool) string {
	if plainHTTP {
		return "http://"
	}
	return "https://"
}

// Request is what clients are to be told.
type Request struct {
	Mirror    Mirror
	Routes    []Route                // from [Routes]
	PlainHTTP func(host string) bool // of a source, which stays the fallback; nil means none is
}

func (r *Request) plain(host string) bool { return r.PlainHTTP != nil && r.PlainHTTP(host) }

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

func (c *Config) note(format string, a ...any) {
	c.Notes = append(c.Notes, fmt.Sprintf(format, a...))
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
	return write(r)
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
