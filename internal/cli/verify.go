package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/engine/restore/source"
	"github.com/oras-mirror/oras-mirror/internal/advice"
	"github.com/oras-mirror/oras-mirror/internal/cli/option"
	"github.com/oras-mirror/oras-mirror/internal/console"
	"github.com/oras-mirror/oras-mirror/internal/disk"
	"github.com/oras-mirror/oras-mirror/internal/exit"
	"github.com/oras-mirror/oras-mirror/internal/metrics"
	"github.com/oras-mirror/oras-mirror/internal/text"
	"github.com/oras-mirror/oras-mirror/store"
	"github.com/oras-mirror/oras-mirror/store/bucket"
	"github.com/oras-mirror/oras-mirror/store/verify"
)

type verifyCommand struct {
	Spec string `short:"f" name:"file" placeholder:"SPEC" help:"Check signatures as the policies of this mirror spec demand, without a network."`
	option.InputFlags
	Statement string `placeholder:"FILE" help:"Hold the input against this statement of oras-mirror statement, - for standard input; with -f, its signers and lock too. Exit with code 5 if it differs."`
	Format    string `enum:"text,json" default:"text" placeholder:"text|json" help:"Print text or json: the status of each artifact and every error."`
	metricsFlags
	option.VerbosityFlags

	document *verifyDocument // nil without --format json
}

func (c *verifyCommand) Help() string {
	return `Examples:

    oras-mirror verify --input bundle.tgz
    oras-mirror verify --input bundle.tgz --statement bundle.json
    oras-mirror verify --input 'bundle.*.tgz'
    oras-mirror verify --input monday.tgz --input tuesday.tgz
    cat bundle.tgz | oras-mirror verify --input -
    oras-mirror verify --input bundle.tgz --format json | jq .errors`
}

func (c *verifyCommand) Run(ctx context.Context, u *console.Console) error {
	u.Advise(func(h *advice.Hints) { h.OnlyInput = true })
	option.BoundReading()
	if c.Format == "json" {
		c.document = newVerifyDocument(c.Name(), c.Statement)
		u.SetDocument(c.document.finish)
	}
	file, err := c.metricsFile(u)
	if err != nil {
		return err
	}
	done, err := c.verify(ctx, u)
	return errors.Join(err, file.Write(metrics.Outcome{Report: done, Committed: done != nil, ExitCode: exit.Code(exit.Reason(ctx, err))}))
}

// verify reads the input, prints the result, and returns it as a report for the metrics; nil if
// it could not be read to its end.
func (c *verifyCommand) verify(ctx context.Context, u *console.Console) (*engine.Report, error) {
	against, err := c.readStatement(u)
	if err != nil {
		return nil, err
	}
	by, err := c.judge()
	if err != nil {
		return nil, err
	}
	in, err := openInput(ctx, &c.InputFlags, u, by.spec)
	if err != nil {
		return nil, c.damaged(u, err)
	}
	lacking := sayFaults(u, in)
	p := u.StartProgress()
	done := &engine.Report{Planned: true}
	v, signed, err := verifyInput(ctx, in, by.policies, verify.Options{Progress: p.Moved, Artifact: c.collect(done)})
	p.Close()
	lacking = cmp.Or(lacking, sayLateFaults(u, in))
	differs := false
	if err == nil {
		differs, err = against.differ(ctx, u, in, &c.InputFlags, by, signed)
	}
	if err = errors.Join(err, in.Close()); err != nil {
		return nil, c.damaged(u, err)
	}
	addFaults(done, v, signed)
	if c.document != nil {
		c.document.add(in, done, v, signed)
	}
	return done, c.conclude(u, in, v, by, signed, lacking, differs)
}

// conclude prints what is wrong with an input, and returns the exit code.
func (c *verifyCommand) conclude(u *console.Console, in store.Input, v *verify.Result, by judge, signed []signature, lacking error, differs bool) error {
	for _, f := range v.Faults {
		u.Fail(&faultError{f})
	}
	refused := saySignatures(u, signed)
	saySigned(u, len(signed), refused, by.unasked(in.Index()))
	missing := engine.Missing(in.Index())
	if len(missing) > 0 {
		u.Fail(&exit.IncompleteError{Input: c.Name(), Missing: missing, Judged: by.judges(missing)})
	}
	u.Say("%s", verified(c.Name(), v, len(missing) > 0 || lacking != nil))
	switch {
	case len(v.Faults) > 0 || lacking != nil || differs || refused > 0:
		return exit.Unverified
	case len(missing) > 0:
		return exit.Partial
	}
	return nil
}

// damaged returns the exit code of a failed verification for an input that exists but
// cannot be read as a layout. What an object store refuses, or a name that is none in a bucket,
// says nothing about the input.
func (c *verifyCommand) damaged(u *console.Console, err error) error {
	_, read := errors.AsType[*store.InputError](err)
	_, refused := errors.AsType[*bucket.Error](err)
	_, misnamed := errors.AsType[*bucket.LocationError](err)
	if !read || refused || misnamed || errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) || disk.IsTooManyFiles(err) {
		return err
	}
	u.Fail(err)
	return exit.Unverified
}

// judge reads the spec of -f, which must have policies.
func (c *verifyCommand) judge() (judge, error) {
	by, err := readJudge(c.Spec)
	if err == nil && c.Spec != "" && by.policies == nil {
		err = exit.Usage("list them in the spec, or omit -f", "%s has no policies", c.Spec)
	}
	return by, err
}

// verifyInput hashes every blob of an input, and checks the signatures of its artifacts by
// policies, which may be nil.
func verifyInput(ctx context.Context, in store.Input, policies engine.Trust, o verify.Options) (*verify.Result, []signature, error) {
	if policies == nil {
		v, err := hashInput(ctx, in, o)
		return v, nil, err
	}
	check, err := source.NewSignatureCheck(ctx, in, policies)
	if err != nil {
		return nil, nil, err
	}
	o.Take = check.Take
	v, err := hashInput(ctx, in, o)
	if err != nil {
		return nil, nil, err
	}
	var signed []signature
	err = check.Each(ctx, func(a engine.ArtifactReport) { signed = append(signed, signature{a.Reference, a.SignedBy, a.Err}) })
	return v, signed, err
}

// hashInput hashes every blob of an input.
func hashInput(ctx context.Context, in store.Input, o verify.Options) (*verify.Result, error) {
	switch in := in.(type) {
	case *store.Stream:
		return store.VerifyStream(ctx, in, o)
	case store.Layout:
		return store.Verify(ctx, in, o)
	}
	return nil, fmt.Errorf("unknown kind of input %T", in)
}

// saySignatures prints the signers of artifacts, and returns how many no policy accepts.
func saySignatures(u *console.Console, all []signature) (refused int) {
	for _, a := range all {
		if a.Err != nil {
			refused++
			u.Fail(a.Err)
			continue
		}
		u.Say("%s: signed by %s", a.Reference, strings.Join(a.SignedBy, ", "))
	}
	return refused
}

// saySigned prints how many artifacts are signed, of those that policies ask about, and how many
// they do not ask about: a policy that matches nothing must not look like a signature.
func saySigned(u *console.Console, asked, refused, unasked int) {
	if asked > 0 {
		u.Say("%d of %s signed as the policies demand", asked-refused, text.Count(asked, "artifact"))
	}
	switch {
	case unasked == 1:
		u.Say("1 artifact needs no signature by the policies")
	case unasked > 1:
		u.Say("%s need no signature by the policies", text.Count(unasked, "artifact"))
	}
}

// faultError is a fault of an input, with the names of the artifact and the blob.
type faultError struct{ verify.Fault }

// Error adds the names to the reason, if it lacks them.
func (e *faultError) Error() string {
	text := e.Err.Error()
	for _, name := range []string{e.Digest.String(), e.Reference} {
		if !strings.Contains(text, name) {
			text = name + ": " + text
		}
	}
	return text
}

func (e *faultError) Unwrap() error { return e.Err }

// verified returns the last line of a verification.
func verified(input string, v *verify.Result, incomplete bool) string {
	line := fmt.Sprintf("%s: %s, %s, %s of %s hashed", input, text.Count(v.Artifacts, "artifact"),
		text.Count(v.Referrers, "referrer"), text.Count(v.Blobs, "blob"), text.Bytes(v.Bytes))
	if v.LeftOver > 0 {
		line += ", " + text.Count(v.LeftOver, "unreferenced blob")
	}
	if n := len(v.Faults); n > 0 {
		return line + ": " + text.Count(n, "fault")
	}
	if incomplete {
		return line + ": what is there is intact"
	}
	if v.Left > 0 {
		return fmt.Sprintf("%s: intact, and complete with %s, which has the other %s of %s", line, text.Printable(v.Base), otherBlobs(v.Left), text.Bytes(v.LeftBytes))
	}
	return line + ": all complete and intact"
}

// otherBlobs counts the blobs after "the other".
func otherBlobs(n int) string {
	if n == 1 {
		return "blob"
	}
	return text.Count(n, "blob")
}
