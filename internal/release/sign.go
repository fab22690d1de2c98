package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// signatureDomain is the namespace of the signature, which ssh-keygen -Y verify names with -n.
const signatureDomain = "file"

// sign signs SHA256SUMS with a key of ssh, and writes SHA256SUMS.sig. The key may be encrypted
// (ssh-keygen asks for its passphrase) or a public key whose private key the agent has.
func (r *release) sign() error {
	sums := filepath.Join(r.output, sumsName)
	if r.key == "" {
		_, err := fmt.Fprintf(r.log, "%s is not signed: name a key with -sign, or make release SIGN_KEY=PATH\n", sums)
		return err
	}
	cmd := exec.Command("ssh-keygen", "-Y", "sign", "-f", r.key, "-n", signatureDomain, sums)
	cmd.Stdin, cmd.Stderr = os.Stdin, os.Stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("sign %s: %w", sums, err)
	}
	_, err := fmt.Fprintf(r.log, "%s is signed with %s\n", sums, r.key)
	return err
}
