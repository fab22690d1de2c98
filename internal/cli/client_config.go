package cli

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/internal/advice"
	"github.com/oras-mirror/oras-mirror/internal/clientconfig"
	"github.com/oras-mirror/oras-mirror/internal/console"
	"github.com/oras-mirror/oras-mirror/internal/exit"
	"github.com/oras-mirror/oras-mirror/internal/loopback"
	"github.com/oras-mirror/oras-mirror/internal/text"
	"github.com/oras-mirror/oras-mirror/store/oci"
)

type clientConfigCommand struct {
	Spec   string   `short:"f" name:"file" xor:"from" required:"" placeholder:"SPEC" help:"Use the sources, mappings and targets of this mirror spec."`
	Serve  string   `xor:"from" required:"" placeholder:"URL" help:"Make clients pull from oras-mirror serve at this URL, not from a target of a spec."`
	Input  []string `sep:"none" placeholder:"PATH" help:"With --serve: the directory or archive that it serves. Repeatable."`
	CAFile string   `name:"ca-file" placeholder:"PATH" help:"With --serve: the authority that signed its certificate, in PEM."`
	Format string   `enum:"containerd,podman,openshift,k3s,docker" required:"" placeholder:"containerd|podman|openshift|k3s|docker" help:"Write the configuration of this runtime."`
	Target string   `placeholder:"NAME" help:"Make clients pull from the target of the spec with this name, or from REGISTRY[/NAMESPACE]; default: the only target of the spec."`
	Output string   `short:"o" placeholder:"DIR" help:"Write the files to this folder; default: print the file if there is only one."`
}

func (c *clientConfigCommand) Help() string {
	return `Examples:

    oras-mirror client-config --format containerd -f mirror.yaml -o /etc/containerd
    oras-mirror client-config --format openshift -f mirror.yaml --target dr | oc apply -f -
    oras-mirror client-config --format podman --serve http://mirror.example.com:5000 --input bundle.tgz`
}

func (c *clientConfigCommand) Run(ctx context.Context, u *console.Console) error {
	request, err := c.request(ctx, u)
	if err != nil {
		return refusalsAsUsage(err)
	}
	made, err := clientconfig.Write(c.Format, request)
	if err != nil {
		return refusalsAsUsage(err)
	}
	for _, note := range made.Notes {
		u.Notice("%s", note)
	}
	if c.Output != "" {
		return c.save(u, made)
	}
	if len(made.Files) > 1 {
		return exit.Usage("name a folder for the files with -o DIR", "the configuration has %d files", len(made.Files))
	}
	if _, err = u.Stdout.Write(made.Files[0].Content); err == nil && made.Folder != "" {
		u.Say("copy it to %s/%s on every node", made.Folder, made.Files[0].Name)
	}
	return err
}

// request describes where clients pull from.
func (c *clientConfigCommand) request(ctx context.Context, u *console.Console) (r clientconfig.Request, err error) {
	if c.Serve != "" {
		return c.serveRequest(openerOf(ctx, u, nil))
	}
	if len(c.Input) > 0 || c.CAFile != "" {
		return r, exit.Usage("", "--input and --ca-file need --serve; a spec has its own")
	}
	spec, err := config.Load(c.Spec)
	if err != nil {
		return r, err
	}
	target, err := c.target(spec)
	if err != nil {
		return r, err
	}
	return c.specRequest(ctx, u, spec, target)
}

// target returns the target that clients pull from.
func (c *clientConfigCommand) target(spec *config.Spec) (config.Target, error) {
	if c.Target != "" && !hasTarget(spec, c.Target) {
		return parseTarget(spec, c.Target)
	}
	all, err := spec.ResolveTargets()
	if err != nil {
		return config.Target{}, err
	}
	if target, found := findTarget(all, c.Target); found && c.Target != "" {
		return target, nil
	}
	if len(all) != 1 {
		return config.Target{}, exit.Usage("name the one that clients pull from with --target", "the spec has %s", text.Count(len(all), "target"))
	}
	return all[0], nil
}

// specRequest describes what the spec restores to a target.
func (c *clientConfigCommand) specRequest(ctx context.Context, u *console.Console, spec *config.Spec, target config.Target) (request clientconfig.Request, err error) {
	selections, err := spec.Selections()
	if err != nil {
		return request, err
	}
	if len(selections) == 0 {
		return request, exit.Usage(listSources(c.Spec), "%s has no sources", c.Spec)
	}
	if selections, err = expandLayouts(selections, openerOf(ctx, u, spec)); err != nil {
		return request, err
	}
	request.Rewritten = target.PlatformMode == config.PlatformsRewrite
	if request.Mirror, err = registryOf(spec, target.Registry); err != nil {
		return request, err
	}
	if request.Routes, err = clientconfig.Routes(selections, spec.Mappings, target); err != nil {
		return request, err
	}
	request.Sources, err = registriesOf(spec, request.Routes)
	return request, err
}

// expandLayouts replaces each layout by the artifacts in it.
func expandLayouts(selections []config.Selection, open opener) ([]config.Selection, error) {
	var all []config.Selection
	for _, s := range selections {
		if s.Layout == "" || s.Reference.Repository != "" {
			all = append(all, s)
		}
		if s.Layout == "" {
			continue
		}
		references, err := layoutReferences(s.Layout, open)
		if err != nil {
			return nil, err
		}
		for _, r := range references {
			all = append(all, config.Selection{Reference: r, Origin: s.Origin})
		}
	}
	return all, nil
}

// layoutReferences lists the full references in a layout.
func layoutReferences(path string, open opener) ([]config.Reference, error) {
	layout, err := open(path)
	if err != nil {
		return nil, err
	}
	defer layout.Close()
	return fullReferences(layout.Index()), nil
}

// fullReferences lists the full references in an index.
func fullReferences(x *oci.Index) (all []config.Reference) {
	for _, entry := range x.Entries {
		if ref, ok := config.ParseEntryName(entry.Name); ok && ref.Registry != "" {
			all = append(all, ref)
		}
	}
	return all
}

// registryOf returns the settings of the spec that clients need to reach a registry. Our
// client certificate is not among them: clients have their own.
func registryOf(spec *config.Spec, host string) (clientconfig.Registry, error) {
	r := clientconfig.Registry{Host: host}
	theirs := *spec
	theirs.Registries = slices.Clone(spec.Registries)
	for i := range theirs.Registries {
		settings := &theirs.Registries[i]
		r.ClientTLS = r.ClientTLS || settings.CertFile != "" && strings.EqualFold(settings.Registry, host)
		settings.CertFile, settings.KeyFile = "", "" // else their names would be expanded
	}
	settings, err := theirs.Registry(host)
	r.PlainHTTP, r.Insecure = plainHTTP(settings, host), settings.Insecure
	if err == nil && settings.CAFile != "" && !r.PlainHTTP {
		r.CA, err = os.ReadFile(settings.CAFile)
	}
	return r, err
}

// registriesOf returns the settings of all registries of some routes.
func registriesOf(spec *config.Spec, routes []clientconfig.Route) (map[string]clientconfig.Registry, error) {
	all := make(map[string]clientconfig.Registry)
	for _, route := range routes {
		if _, known := all[route.Registry]; known {
			continue
		}
		var err error
		if all[route.Registry], err = registryOf(spec, route.Registry); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// plainHTTP reports whether clients reach a registry over http, by the rule of
// engine/registry.
func plainHTTP(settings config.RegistrySettings, host string) bool {
	if settings.PlainHTTP != nil {
		return *settings.PlainHTTP
	}
	return loopback.Is((&url.URL{Host: host}).Hostname())
}

// refusalsAsUsage turns refusals into errors of usage: another spec or runtime avoids
// them.
func refusalsAsUsage(err error) error {
	var all []error
	for _, one := range advice.Split(err) {
		var refusal *clientconfig.Refusal
		if errors.As(one, &refusal) {
			one = exit.Usage(refusal.Hint, "%s", refusal)
		}
		all = append(all, one)
	}
	return errors.Join(all...)
}

// save writes the files. It writes none if one of them exists and was not written by this
// program.
func (c *clientConfigCommand) save(u *console.Console, made *clientconfig.Config) error {
	for _, file := range made.Files {
		if err := c.mayReplace(file); err != nil {
			return err
		}
	}
	for _, file := range made.Files {
		path := c.path(file)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(path, file.Content, 0o644); err != nil {
			return err
		}
		u.Say("wrote %s", path)
	}
	if made.Folder != "" {
		u.Say("copy them to %s on every node", made.Folder)
	}
	return nil
}

// path returns the place of a file in the output.
func (c *clientConfigCommand) path(file clientconfig.File) string {
	return filepath.Join(c.Output, filepath.FromSlash(file.Name))
}

// mayReplace refuses to replace a file that this program did not write.
func (c *clientConfigCommand) mayReplace(file clientconfig.File) error {
	path := c.path(file)
	there, err := os.ReadFile(path)
	switch first, _, _ := bytes.Cut(there, []byte("\n")); {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	case bytes.Equal(there, file.Content), bytes.Contains(first, []byte(clientconfig.Mark)):
		return nil
	}
	return exit.Usage("write to another folder and merge the two by hand", "%s exists with other content", path)
}
