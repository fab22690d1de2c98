package e2e

import (
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/oras-mirror/oras-mirror/internal/skipped"
	"github.com/oras-mirror/oras-mirror/internal/testregistry"
)

// signingTool is a program that signs a file, and checks the signature of one. It needs no
// network.
type signingTool struct {
	name         string
	path         func(t *testing.T) string
	make         [][]string // commands that make a key
	sign, verify []string   // with FILE for the file that is signed
}

func installed(name string) func(t *testing.T) string {
	return func(t *testing.T) string { return skipped.Without(t, name) }
}

var signingTools = []signingTool{
	{
		name: "ssh-keygen", path: installed("ssh-keygen"),
		make:   [][]string{{"-q", "-t", "ed25519", "-N", "", "-f", "mirror.key"}},
		sign:   []string{"-q", "-Y", "sign", "-f", "mirror.key", "-n", "oras-mirror", "FILE"},
		verify: []string{"-Y", "verify", "-f", "allowed_signers", "-I", "me@example.com", "-n", "oras-mirror", "-s", "bundle.json.sig"}, // of standard input
	},
	{
		name: "cosign", path: func(t *testing.T) string { return tool(t, "cosign") },
		make:   [][]string{{"generate-key-pair"}},
		sign:   []string{"sign-blob", "--key", "cosign.key", "--use-signing-config=false", "--tlog-upload=false", "--bundle", "bundle.json.sigstore", "FILE"},
		verify: []string{"verify-blob", "--key", "cosign.pub", "--insecure-ignore-tlog", "--bundle", "bundle.json.sigstore", "FILE"},
	},
	{
		name: "openssl", path: installed("openssl"),
		make: [][]string{{"genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", "openssl.key"},
			{"pkey", "-in", "openssl.key", "-pubout", "-out", "openssl.pub"}},
		sign:   []string{"dgst", "-sha256", "-sign", "openssl.key", "-out", "bundle.json.ecdsa", "FILE"},
		verify: []string{"dgst", "-sha256", "-verify", "openssl.pub", "-signature", "bundle.json.ecdsa", "FILE"},
	},
}

// run runs the tool on a file. Whatever it would ask the internet for is refused.
func (s signingTool) run(d *desk, args []string, file string) outcome {
	d.t.Helper()
	args = slices.Clone(args)
	for i := range args {
		args[i] = strings.ReplaceAll(args[i], "FILE", file)
	}
	cmd := exec.CommandContext(d.t.Context(), s.path(d.t), args...)
	cmd.Dir = d.Dir
	cmd.Env = append(d.command(program).Env, "COSIGN_PASSWORD=word", "HTTPS_PROXY=http://127.0.0.1:1", "HTTP_PROXY=http://127.0.0.1:1", "NO_PROXY=")
	return d.finish(strings.NewReader(d.read(file)), cmd)
}

// TestStatementSignedByRealTools signs a statement outside, and checks the signature and the bundle
// inside: the good ones pass, and a changed statement or bundle does not.
func TestStatementSignedByRealTools(t *testing.T) {
	for _, s := range signingTools {
		t.Run(s.name, func(t *testing.T) {
			s.path(t)
			source := testregistry.New(t, testregistry.Options{})
			source.Image("team/app", "v1", []byte("content"))
			d := newDesk(t)
			d.mirror("backup", "-o", "bundle.tgz", source.Host+"/team/app").exits(0)
			d.write("bundle.json", d.mirror("statement", "--input", "bundle.tgz").exits(0).stdout)
			d.write("none", "")
			for _, args := range s.make {
				s.run(d, args, "none").exits(0)
			}
			s.run(d, s.sign, "bundle.json").exits(0)
			if s.name == "ssh-keygen" {
				d.write("allowed_signers", "me@example.com "+d.read("mirror.key.pub"))
			}

			s.run(d, s.verify, "bundle.json").exits(0)
			d.mirror("verify", "--input", "bundle.tgz", "--statement", "bundle.json").exits(0).says("is what bundle.json states")

			source.Image("team/app", "v1", []byte("changed"))
			d.mirror("backup", "-o", "changed.tgz", source.Host+"/team/app").exits(0)
			d.mirror("verify", "--input", "changed.tgz", "--statement", "bundle.json").exits(5).says("team/app:v1: changed: ")
			d.write("forged.json", d.mirror("statement", "--input", "changed.tgz").exits(0).stdout)
			d.mirror("verify", "--input", "changed.tgz", "--statement", "forged.json").exits(0)
			if o := s.run(d, s.verify, "forged.json"); o.code == 0 {
				t.Errorf("%s accepts another statement: %s%s", s.name, o.stdout, o.stderr)
			}
		})
	}
}

// TestStatementOfWhatCosignSigned states who signed an image with the real cosign, as a bundle and
// as a tag.
func TestStatementOfWhatCosignSigned(t *testing.T) {
	s := newSigner(t)
	source := startRegistry(t, registryOptions{}).Host
	s.pushSigned(source)
	s.mirror("backup", "-f", "free.yaml", "-o", "free.tgz").exits(0)
	if o := s.mirror("statement", "-f", "mirror.yaml", "--input", "free.tgz").exits(5).says(refusedUnsigned); o.stdout != "" {
		t.Errorf("it states %s", o.stdout)
	}
	s.mirror("backup", "-f", "mirror.yaml", "-o", "checked.tgz").exits(3)
	text := s.mirror("statement", "-f", "mirror.yaml", "--input", "checked.tgz").exits(0).says("3 of 3 artifacts signed as the policies demand").stdout
	for signer, want := range map[string]int{`"signedBy":["cosign key SHA256:`: 2, `"signedBy":["notation CN=release,`: 1} {
		if n := strings.Count(text, signer); n != want {
			t.Errorf("%d lines with %s, want %d:\n%s", n, signer, want, text)
		}
	}
	s.write("checked.json", text)
	s.mirror("verify", "-f", "mirror.yaml", "--input", "checked.tgz", "--statement", "checked.json").exits(3).says("is what checked.json states: 3 artifacts", "checked.tgz is incomplete")
}
