package cli

import (
	"net/url"
	"os"

	"github.com/oras-mirror/oras-mirror/internal/clientconfig"
	"github.com/oras-mirror/oras-mirror/internal/exit"
)

// serveRequest describes what makes clients pull from "oras-mirror serve".
func (c *clientConfigCommand) serveRequest(open opener) (r clientconfig.Request, err error) {
	if r.Mirror, err = c.served(); err != nil {
		return r, err
	}
	if c.Target != "" {
		return r, exit.Usage("clients pull from the registry at --serve", "--target cannot be used with --serve")
	}
	if c.Input == "" {
		return r, exit.Usage("name the bundle or the directory that it serves with --input PATH", "missing --input")
	}
	references, err := layoutReferences(c.Input, open)
	if err != nil {
		return r, err
	}
	registries := make([]string, len(references))
	for i, ref := range references {
		registries[i] = ref.Registry
	}
	r.Routes = clientconfig.ServedRoutes(c.Format, registries)
	return r, nil
}

// served is the registry at --serve.
func (c *clientConfigCommand) served() (r clientconfig.Registry, err error) {
	u, err := url.Parse(c.Serve)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || u.Path != "" && u.Path != "/" || u.RawQuery != "" || u.User != nil {
		return r, exit.Usage("example: http://mirror.example.com:5000", "invalid --serve %s", c.Serve)
	}
	r = clientconfig.Registry{Host: u.Host, PlainHTTP: u.Scheme == "http"}
	if c.CAFile != "" {
		r.CA, err = os.ReadFile(c.CAFile)
	}
	return r, err
}
