package stories

import (
	"os"
	"strings"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/oras-mirror/oras-mirror/internal/testsign"
)

// signers has the keys and the sigstore of a script.
type signers struct {
	keys     map[string]testsign.Signer
	sigstore *testsign.Sigstore // nil until an identity signs
}

// key NAME makes a key, writes its public half to NAME.pub, and sets $NAME_LINE to its line in
// reports.
func (w *world) key(ts *testscript.TestScript, _ bool, args []string) {
	key := testsign.NewKey(w.tb)
	w.signers.keys[args[0]] = key
	ts.Setenv(args[0]+"_LINE", key.Line(w.tb))
	ts.Check(os.WriteFile(ts.MkAbs(args[0]+".pub"), key.PEM(w.tb), 0o600))
}

// sign NAME REPOSITORY:TAG SIGNER [tag|bundle|attestation] [TAG] signs an image as cosign does:
// with a payload as a referrer or under the tag of cosign, or with a bundle. SIGNER is a key, or
// a URL for which the sigstore in trusted_root.json issues a certificate. The last TAG names
// another image, which is signed instead.
func (w *world) sign(ts *testscript.TestScript, _ bool, args []string) {
	r := w.named(ts, args[0])
	repo, _, _ := strings.Cut(args[1], ":")
	image := w.seeded(ts, args[0]+"/"+args[1])
	signed := image.Digest
	if len(args) > 4 {
		signed = w.seeded(ts, args[0]+"/"+repo+":"+args[4]).Digest
	}
	by, proofs := w.signer(ts, args[2])
	payload := w.signers.sigstore.PayloadLayer(w.tb, by, signed, "example.com/origin", proofs)
	bundle := func(statement string) testsign.Layer {
		return testsign.BundleLayer(w.signers.sigstore.Bundle(w.tb, by, statement, proofs))
	}
	switch format := strings.Join(args[3:min(4, len(args))], ""); format {
	case "":
		testsign.AsReferrer(r, repo, image, payload)
	case "tag":
		testsign.AsTag(r, repo, image, payload)
	case "bundle":
		testsign.AsReferrer(r, repo, image, bundle(testsign.Statement(signed)))
	case "attestation":
		testsign.AsReferrer(r, repo, image, bundle(testsign.StatementWith(signed, "https://slsa.dev/provenance/v1")))
	default:
		ts.Fatalf("unknown format %s", format)
	}
}

// seeded returns the image that a script has seeded as NAME/REPOSITORY:TAG.
func (w *world) seeded(ts *testscript.TestScript, name string) ocispec.Descriptor {
	image, ok := w.images[name]
	if !ok {
		ts.Fatalf("no image %s", name)
	}
	return image
}

// signer returns a signer, and the proofs of time that its signatures have.
func (w *world) signer(ts *testscript.TestScript, name string) (testsign.Signer, testsign.Proofs) {
	if strings.HasPrefix(name, "https://") {
		if w.signers.sigstore == nil {
			w.signers.sigstore = testsign.NewSigstore(w.tb)
			ts.Check(os.WriteFile(ts.MkAbs("trusted_root.json"), w.signers.sigstore.TrustedRoot(testsign.RootOf{}), 0o600))
		}
		return w.signers.sigstore.Identity("https://issuer.example", name), testsign.Proofs{Log: true}
	}
	key, ok := w.signers.keys[name]
	if !ok {
		ts.Fatalf("no key %s", name)
	}
	return key, testsign.Proofs{}
}
