package cli

import (
	"github.com/opencontainers/go-digest"

	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/internal/console"
	"github.com/oras-mirror/oras-mirror/internal/report"
	"github.com/oras-mirror/oras-mirror/store"
	"github.com/oras-mirror/oras-mirror/store/verify"
)

// verifyDocument is the output of "verify --format json", as in schemas/verify.schema.json.
type verifyDocument struct {
	report.Header
	Input     string             `json:"input"`
	Statement string             `json:"statement,omitempty"` // the path of --statement
	Base      []string           `json:"base,omitempty"`      // of a delta: the names of its bases
	Missing   []string           `json:"missing,omitempty"`   // artifacts and referrers that the backup failed to get
	Artifacts []verifiedArtifact `json:"artifacts"`
	Errors    []problem          `json:"errors"`
	Totals    verifyTotals       `json:"totals"`
	ExitCode  int                `json:"exitCode"`
}

type verifiedArtifact struct {
	Reference string        `json:"reference,omitempty"`
	Digest    digest.Digest `json:"digest"`
	Status    string        `json:"status"`
	SignedBy  []string      `json:"signedBy,omitempty"`
}

// The values of verifiedArtifact.Status.
const (
	statusVerified = "verified"
	statusFailed   = "failed"
)

type verifyTotals struct {
	Artifacts    int   `json:"artifacts"`
	Failed       int   `json:"failed"`
	Referrers    int   `json:"referrers"`
	Errors       int   `json:"errors"`
	Blobs        int   `json:"hashedBlobs"`
	Bytes        int64 `json:"hashedBytes"`
	Unreferenced int   `json:"unreferencedBlobs"`
	BaseBlobs    int   `json:"baseBlobs"`
	BaseBytes    int64 `json:"baseBytes"`
}

// newVerifyDocument returns the document of an input that is not read yet.
func newVerifyDocument(input, statement string) *verifyDocument {
	return &verifyDocument{Header: report.NewHeader("Verification"), Input: input, Statement: statement, Artifacts: []verifiedArtifact{}}
}

// add adds what was found in an input that was read to its end.
func (d *verifyDocument) add(in store.Input, done *engine.Report, v *verify.Result, signed []signature) {
	signers := make(map[string][]string, len(signed))
	for _, a := range signed {
		signers[a.Reference] = a.SignedBy
	}
	for _, a := range done.Artifacts {
		one := verifiedArtifact{Reference: a.Reference, Digest: a.Digest, Status: statusVerified, SignedBy: signers[a.Reference]}
		if a.Reference == a.Digest.String() {
			one.Reference = ""
		}
		d.Artifacts = append(d.Artifacts, one)
	}
	d.Base, d.Missing = in.Index().BaseNames(), engine.Missing(in.Index())
	d.Totals = verifyTotals{Artifacts: v.Artifacts, Referrers: v.Referrers, Blobs: v.Blobs, Bytes: v.Bytes, Unreferenced: v.LeftOver,
		BaseBlobs: v.Left, BaseBytes: v.LeftBytes}
}

// failed implements failing.
func (c *verifyCommand) failed() func(failures []console.Failure, exitCode int) any {
	return newVerifyDocument(c.Name(), c.Statement).finish
}

// finish adds the errors of the run, and marks the artifacts that they name.
func (d *verifyDocument) finish(failures []console.Failure, exitCode int) any {
	d.Errors = problemsOf(failures)
	failed := make(map[string]bool)
	for _, p := range d.Errors {
		failed[p.Reference] = p.Reference != ""
	}
	for i := range d.Artifacts {
		a := &d.Artifacts[i]
		if failed[a.Reference] || a.Reference == "" && failed[a.Digest.String()] {
			a.Status = statusFailed
			d.Totals.Failed++
		}
	}
	d.Totals.Errors, d.ExitCode = len(d.Errors), exitCode
	return d
}
