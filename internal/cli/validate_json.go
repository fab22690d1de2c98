package cli

import (
	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/internal/console"
	"github.com/oras-mirror/oras-mirror/internal/report"
)

// validateDocument is the output of "validate --format json", as in
// schemas/validate.schema.json.
type validateDocument struct {
	report.Header
	File      string              `json:"file"`
	Valid     bool                `json:"valid"`
	Errors    []problem           `json:"errors"`
	Unchecked []uncheckedValue    `json:"unchecked,omitempty"` // with a variable that is not set
	Manifests []manifestsDocument `json:"manifests,omitempty"`
	Skipped   []imagesPlaced      `json:"skipped,omitempty"`
	Policies  []string            `json:"policies,omitempty"`  // what each demands
	Unmatched []string            `json:"unmatched,omitempty"` // repositories that no policy matches
	Totals    validateTotals      `json:"totals"`
	ExitCode  int                 `json:"exitCode"`
}

type uncheckedValue struct {
	filePlace
	Reason string `json:"reason"`
}

// manifestsDocument counts what a source found in Kubernetes manifests.
type manifestsDocument struct {
	From   string          `json:"from"`
	Totals manifestsTotals `json:"totals"`
}

type manifestsTotals struct {
	Images int `json:"images"`
	Files  int `json:"files"`
}

type validateTotals struct {
	Sources  int `json:"sources"`
	Mappings int `json:"mappings"`
	Targets  int `json:"targets"`
	Images   int `json:"images"` // in manifests
	Errors   int `json:"errors"`
}

// newValidateDocument returns the document of a spec that is not read yet.
func newValidateDocument(file string) *validateDocument {
	return &validateDocument{Header: report.NewHeader("Validation"), File: file}
}

// failed implements failing.
func (c *validateCommand) failed() func(failures []console.Failure, exitCode int) any {
	return newValidateDocument(c.Spec).finish
}

// finish adds the errors of the run.
func (d *validateDocument) finish(failures []console.Failure, exitCode int) any {
	d.Errors = problemsOf(failures)
	d.Totals.Errors, d.Valid, d.ExitCode = len(d.Errors), exitCode == 0, exitCode
	return d
}

// add adds what was found in the spec and the files that it names, as far as they could be read.
func (d *validateDocument) add(v *config.Validation, policies []string) {
	d.Policies = policies
	for _, f := range v.Unset {
		d.Unchecked = append(d.Unchecked, uncheckedValue{placeOf(f), f.Message})
	}
	for _, m := range v.Manifests {
		d.Manifests = append(d.Manifests, manifestsDocument{m.Origin, manifestsTotals{len(m.Images), m.Files}})
		d.Totals.Images += len(m.Images)
		d.Skipped = append(d.Skipped, skippedOf(m)...)
	}
	if s := v.Spec; s != nil {
		d.Totals.Sources, d.Totals.Mappings, d.Totals.Targets = len(s.Sources), len(s.Mappings), len(s.Targets)
	}
}
