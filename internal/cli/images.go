package cli

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/internal/advice"
	"github.com/oras-mirror/oras-mirror/internal/cli/option"
	"github.com/oras-mirror/oras-mirror/internal/console"
	"github.com/oras-mirror/oras-mirror/internal/discover"
	"github.com/oras-mirror/oras-mirror/internal/report"
	"github.com/oras-mirror/oras-mirror/internal/text"
)

type imagesCommand struct {
	Files  []string `arg:"" name:"file" help:"Files with Kubernetes manifests or kustomizations, or folders of them; - reads standard input."`
	Format string   `enum:"text,json" default:"text" placeholder:"text|json" help:"Print text or json."`
}

func (c *imagesCommand) Help() string {
	return `Prints a list that backup and sync read: a reference on each line, with the files and lines that name it in a comment. Prints nothing if a file is invalid.

Examples:

    oras-mirror images deploy/
    helm template app ./chart | oras-mirror images - | oras-mirror backup -o bundle.tgz -
    kustomize build overlays/prod | oras-mirror images --format json -`
}

// Run prints the images that manifests name.
func (c *imagesCommand) Run(u *console.Console) error {
	u.Advise(func(h *advice.Hints) { h.Manifests = true })
	var stdin option.Stdin
	for _, file := range c.Files {
		if file != "-" {
			continue
		}
		if err := stdin.Claim("the manifests"); err != nil {
			return err
		}
	}
	found, err := config.FindImages(c.Files, func(maximum int64) ([]byte, error) {
		return io.ReadAll(io.LimitReader(u.Stdin, maximum))
	})
	if err != nil {
		return err
	}
	slices.SortFunc(found.Images, func(a, b config.Image) int { return strings.Compare(a.Reference.String(), b.Reference.String()) })
	if c.Format == "json" {
		return text.WriteJSON(u.Stdout, imagesDocumentOf(found))
	}
	noticeSkipped(u, found)
	if len(found.Images) == 0 {
		u.Notice("no image in %s", text.Count(found.Files, "file"))
	}
	return printImages(u.Stdout, found.Images)
}

// maxPlaces bounds the places in the comment of a line.
const maxPlaces = 5

// printImages prints a list of references.
func printImages(w io.Writer, images []config.Image) error {
	for _, i := range images {
		places := placesOf(i)
		if more := len(places) - maxPlaces; more > 0 {
			places = append(places[:maxPlaces], fmt.Sprintf("and %s more", text.Thousands(more)))
		}
		if _, err := fmt.Fprintf(w, "%s  # %s\n", i.Reference, text.Printable(strings.Join(places, ", "))); err != nil {
			return err
		}
	}
	return nil
}

// placesOf lists the places of an image as FILE:LINE, each once.
func placesOf(i config.Image) []string {
	var all []string
	for _, p := range i.Places {
		all = append(all, fmt.Sprintf("%s:%d", p.File, p.Line))
	}
	return slices.Compact(all)
}

// noticeSkipped prints the fields that look as if they named an image and are not known to.
func noticeSkipped(u *console.Console, m *config.Manifests) {
	for _, s := range m.Skipped {
		u.Notice("not looked at: %s", s)
	}
}

// fewSkipped bounds the fields that a run shows. validate shows all.
const fewSkipped = 10

// noticeManifests prints, before a run, what manifests have that is not selected.
func noticeManifests(u *console.Console, all []*config.Manifests, spec string) {
	for _, m := range all {
		few := *m
		few.Skipped = m.Skipped[:min(len(m.Skipped), fewSkipped)]
		noticeSkipped(u, &few)
		if more := len(m.Skipped) - len(few.Skipped); more > 0 {
			u.Notice(`not looked at: %s more; "oras-mirror validate -f %s" lists them`, text.Count(more, "field"), spec)
		}
	}
}

// imagesDocument is the output of "images --format json".
type imagesDocument struct {
	report.Header
	Images  []imagesImage  `json:"images"`
	Skipped []imagesPlaced `json:"skipped,omitempty"` // fields that look as if they named an image
}

type imagesImage struct {
	Reference string        `json:"reference"`
	Places    []imagesPlace `json:"places"`
}

type imagesPlaced struct {
	Value  string `json:"value"`
	Reason string `json:"reason,omitempty"`
	imagesPlace
}

type imagesPlace struct {
	File   string `json:"file"`
	Line   int    `json:"line"`
	Column int    `json:"column"`
	Object string `json:"object,omitempty"` // kind and name
	Path   string `json:"path,omitempty"`   // in the object
}

func imagesDocumentOf(found *config.Manifests) imagesDocument {
	d := imagesDocument{Header: report.NewHeader("ImageList"), Images: []imagesImage{}}
	for _, i := range found.Images {
		image := imagesImage{Reference: i.Reference.String()}
		for _, p := range i.Places {
			image.Places = append(image.Places, imagesPlaceOf(p))
		}
		d.Images = append(d.Images, image)
	}
	d.Skipped = skippedOf(found)
	return d
}

// skippedOf returns the fields that look as if they named an image.
func skippedOf(m *config.Manifests) (all []imagesPlaced) {
	for _, s := range m.Skipped {
		all = append(all, imagesPlaced{s.Name, s.Reason, imagesPlaceOf(s.Place)})
	}
	return all
}

func imagesPlaceOf(p discover.Place) imagesPlace {
	return imagesPlace{File: p.File, Line: p.Line, Column: p.Column, Object: p.Object, Path: p.Path}
}
