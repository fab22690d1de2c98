package cli

import (
	"net/url"
	"os"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/internal/cli/option"
	"github.com/oras-mirror/oras-mirror/internal/clientconfig"
	"github.com/oras-mirror/oras-mirror/internal/exit"
	"github.com/oras-mirror/oras-mirror/store/delta"
	"github.com/oras-mirror/oras-mirror/store/oci"
)

// serveRequest describes what makes clients pull from "oras-mirror serve".
func (c *clientConfigCommand) serveRequest(open opener) (r clientconfig.Request, err error) {
	if r.Mirror, err = c.served(); err != nil {
		return r, err
	}
	if c.Target != "" {
		return r, exit.Usage("clients pull from the registry at --serve", "--target cannot be used with --serve")
	}
	if len(c.Input) == 0 {
		return r, exit.Usage("name the bundle or the directory that it serves with --input PATH", "missing --input")
	}
	references, err := servedReferences(c.Input, open)
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

// servedReferences lists the full references of all inputs that no delta among them replaces.
func servedReferences(inputs []string, open opener) (all []config.Reference, err error) {
	paths, err := option.ExpandInputs(inputs)
	if err != nil {
		return nil, err
	}
	var indexes []*oci.Index
	for _, path := range paths {
		in, err := open(path)
		if err != nil {
			return nil, err
		}
		defer in.Close()
		indexes = append(indexes, in.Index())
	}
	for i, replaced := range delta.Replaced(indexes) {
		if !replaced {
			all = append(all, fullReferences(indexes[i])...)
		}
	}
	return all, nil
}

// served is the registry at --serve.
func (c *clientConfigCommand) served() (r clientconfig.Registry, err error) {
	u, err := url.Parse(c.Serve)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || u.Path != "" && u.Path != "/" || u.RawQuery != "" || u.User != nil {
		return r, exit.Usage("example: http://mirror.example.com:5000", "invalid --serve %s", c.Serve)
	}
	r = clientconfig.Registry{Host: u.Host, PlainHTTP: u.Scheme == "http"}
	if err := exit.CheckFiles(c.CAFile); err != nil || c.CAFile == "" {
		return r, err
	}
	r.CA, err = os.ReadFile(c.CAFile)
	return r, err
}
