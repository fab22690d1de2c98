package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/oras-mirror/oras-mirror/internal/skipped"
)

// TestSignedChecksums signs checksums with a key and verifies them as users do.
func TestSignedChecksums(t *testing.T) {
	keygen := skipped.Without(t, "ssh-keygen")
	dir := t.TempDir()
	key, sums := filepath.Join(dir, "key"), filepath.Join(dir, "SHA256SUMS")
	output(t, keygen, "-q", "-t", "ed25519", "-N", "", "-C", "releases", "-f", key)
	public, err := os.ReadFile(key + ".pub")
	if err != nil {
		t.Fatal(err)
	}
	for path, text := range map[string]string{sums: "00  a\n", filepath.Join(dir, "allowed_signers"): "oras-mirror " + string(public)} {
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	var log strings.Builder
	r := &release{output: dir, key: key, log: &log}
	if err := r.sign(); err != nil || log.String() != sums+" is signed with "+key+"\n" {
		t.Fatalf("%v: %s", err, log.String())
	}
	verify := func() ([]byte, error) {
		cmd := exec.CommandContext(t.Context(), keygen, "-Y", "verify", "-f", "allowed_signers", "-I", "oras-mirror", "-n", "file", "-s", "SHA256SUMS.sig")
		cmd.Dir = dir
		text, err := os.Open(sums)
		if err != nil {
			return nil, err
		}
		defer text.Close()
		cmd.Stdin = text
		return cmd.CombinedOutput()
	}
	if out, err := verify(); err != nil || !strings.HasPrefix(string(out), `Good "file" signature for oras-mirror`) {
		t.Errorf("%v: %s", err, out)
	}
	if err := os.WriteFile(sums, []byte("01  a\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if out, err := verify(); err == nil {
		t.Errorf("other checksums pass: %s", out)
	}
}

func TestSignWithoutAKey(t *testing.T) {
	var log strings.Builder
	r := &release{output: "dist", log: &log}
	if err := r.sign(); err != nil || !strings.Contains(log.String(), "SHA256SUMS is not signed: name a key with") {
		t.Errorf("%v: %s", err, log.String())
	}
	skipped.Without(t, "ssh-keygen")
	r = &release{output: t.TempDir(), key: "no-such-key", log: &log}
	if err := r.sign(); err == nil {
		t.Error("a key that is not there signs")
	}
}
