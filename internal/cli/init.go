package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/config/filter"
	"github.com/oras-mirror/oras-mirror/internal/advice"
	"github.com/oras-mirror/oras-mirror/internal/console"
	"github.com/oras-mirror/oras-mirror/internal/exit"
	"github.com/oras-mirror/oras-mirror/internal/text"
	"github.com/oras-mirror/oras-mirror/store/oci"
)

type initCommand struct {
	References []string `arg:"" optional:"" name:"ref" help:"Sources to start with: REGISTRY/REPOSITORY[:TAG[,TAG...]][@DIGEST]."`

	Input  []string `sep:"none" placeholder:"PATH" help:"Use the artifacts of this bundle or directory as sources. Repeatable."`
	From   string   `placeholder:"FILE" help:"Convert this file of hauler, oc-mirror, regsync, skopeo sync or flux-mirror, or this list of images; \"-\" reads standard input."`
	Output string   `short:"o" placeholder:"FILE" help:"Write to this new file instead of standard output; an existing file is not overwritten."`
}

func (c *initCommand) Help() string {
	return `Examples:

    oras-mirror init -o mirror.yaml registry.k8s.io/pause:3.10 ghcr.io/oras-project/oras
    oras-mirror init --input bundle.tgz
    oras-mirror init --from regsync.yml

--from recognizes the format by the content. What a mirror spec cannot say stands in comments of the new spec, and in notes on standard error. No credentials are copied.`
}

func (c *initCommand) Run(ctx context.Context, u *console.Console) error {
	u.Advise(func(h *advice.Hints) { h.InputFlag = true })
	content, sources, err := c.spec(ctx, u)
	if err != nil {
		return err
	}
	if _, err := config.Parse("the new spec", []byte(content)); err != nil {
		return err
	}
	if c.Output == "" || c.Output == "-" {
		_, err := u.Stdout.Write([]byte(content))
		return err
	}
	if err := writeNew(c.Output, content); err != nil {
		return err
	}
	u.Say("wrote %s with %s; check it with \"oras-mirror validate -f %s\"", c.Output, text.Count(sources, "source"), c.Output)
	return nil
}

// spec returns the new spec, and the number of its sources.
func (c *initCommand) spec(ctx context.Context, u *console.Console) (content string, sources int, err error) {
	if c.From != "" {
		return c.converted(u)
	}
	all, err := c.sources(ctx, u)
	return specText(all), len(all), err
}

// sources returns the sources for the new spec: the arguments, and the artifacts of the input.
func (c *initCommand) sources(ctx context.Context, u *console.Console) ([]string, error) {
	_, err := config.Arguments(c.References)
	sources := c.References
	if len(c.Input) > 0 && err == nil {
		var more []string
		more, err = sourcesOf(ctx, u, c.Input)
		sources = append(sources, more...)
	}
	if err == nil && len(sources) == 0 {
		sources = []string{"registry.k8s.io/pause:3.10"}
	}
	return sources, err
}

// sourcesOf lists the artifacts of a layout as sources that select the same parts of them.
// It skips names that are not full references, since those cannot be fetched again.
func sourcesOf(ctx context.Context, u *console.Console, paths []string) ([]string, error) {
	in, err := openLayouts(ctx, u, paths, nil)
	if err != nil {
		return nil, err
	}
	var sources []string
	for _, e := range in.Index().Entries {
		ref, ok := config.ParseEntryName(e.Name)
		if ok && ref.Registry != "" && !filter.IsReferrersTag(ref.Tag) {
			sources = append(sources, sourceOf(ref, e))
		}
	}
	if err := in.Close(); err != nil {
		return nil, err
	}
	if len(sources) == 0 {
		return nil, exit.Usage("name references instead", "%s has no artifact with a full reference", strings.Join(paths, ", "))
	}
	return sources, nil
}

// sourceOf returns the source of an artifact: its reference, or a selection if the backup
// left out some of it. A reference with only a digest cannot be a selection.
func sourceOf(ref config.Reference, e oci.Entry) string {
	var choices []string
	if e.Platforms != "" {
		choices = append(choices, "platforms: ["+strings.ReplaceAll(e.Platforms, ",", ", ")+"]")
	}
	if e.Referrers == oci.ReferrersNone {
		choices = append(choices, "referrers: false")
	}
	switch {
	case len(choices) == 0:
		return ref.String()
	case ref.Tag == "":
		return ref.String() + "   # the bundle has it with " + strings.Join(choices, ", ")
	}
	return fmt.Sprintf("{repository: %q, tags: {names: [%q]}, %s}", ref.Name(), ref.Tag, strings.Join(choices, ", "))
}

// writeNew writes a file that does not exist yet.
func writeNew(path, text string) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if errors.Is(err, fs.ErrExist) {
		return exit.Usage("choose another file with -o, or remove this one", "%s exists", path)
	}
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
	return errors.Join(err, f.Close())
}

const schemaLine = "# yaml-language-server: $schema=https://raw.githubusercontent.com/oras-mirror/oras-mirror/main/schemas/mirror.schema.json\n"

const specHead = schemaLine + `#
# What to mirror. "oras-mirror validate -f FILE" checks it, "oras-mirror plan -f FILE" shows what it would copy.
apiVersion: ` + config.APIVersion + `
kind: ` + config.Kind + `

# Settings of registries; registries that are not listed get the defaults. Do not put credentials here: log in with "oras login".
#registries:
#  - registry: registry.corp.example
#    caFile: certs/corp-ca.pem         # relative to this file
#    concurrency: 4                    # requests in flight

# Settings of every source that does not set its own.
#defaults:
#  referrers: true                     # signatures, SBOMs, attestations; or {artifactTypes: ["application/spdx*"]}
#  platforms: [linux/amd64]            # of multi-platform images; default: all

sources:
`

const specTail = `#  - registry.k8s.io/pause             # no tag: the whole repository
#  - repository: ghcr.io/fluxcd/source-controller
#    tags: {semver: ">=1.4.0 <2", exclude: ["*-rc*"], latest: 3}
#  - registry: registry.corp.example   # a whole registry, through its catalog
#    repositories: {include: ["team-a/**"]}
#  - list: images.txt                  # one reference a line
#  - layout: ./vendor/layout           # the artifacts in an OCI layout on disk
#  - kubernetes: deploy/**/*.yaml      # the images in Kubernetes manifests and kustomizations
#  - chart: oci://ghcr.io/acme/app     # a Helm chart and the images that it names

# Where backup writes; --output takes precedence. A name that ends in / makes a directory, ${DATE} is today's date.
output: bundle.tgz

# Where restore puts a repository; the first match wins, and without one the registry is dropped and the path kept.
#mappings:
#  - source: docker.io/library         # a prefix: docker.io/library/nginx -> dockerhub/nginx
#    target: dockerhub
#  - source: registry.example/scratch
#    exclude: true                     # not restored

# Where restore pushes: REGISTRY[/NAMESPACE], all of them unless --target names one.
#targets:
#  - registry.corp.example/mirror
#  - {name: dr, target: "localhost:5000", existingTags: skip}   # overwrite (default) | skip | fail
`

// specText returns a spec of these sources, with examples of everything else in comments.
func specText(sources []string) string {
	var b strings.Builder
	b.WriteString(specHead)
	for _, s := range sources {
		if strings.ContainsAny(s, ",[") && !strings.HasPrefix(s, "{") && !strings.Contains(s, " #") { // special in YAML
			s = strconv.Quote(s)
		}
		b.WriteString("  - " + s + "\n")
	}
	b.WriteString(specTail)
	return b.String()
}
