package e2e

import (
	"fmt"
	"strings"
	"testing"

	"github.com/oras-mirror/oras-mirror/internal/testregistry"
)

// TestSignedByRealTools: what cosign and notation sign passes on a registry with fallback tags
// and on one with the referrers API, online and from any input; what they do not sign stays
// outside.
func TestSignedByRealTools(t *testing.T) {
	hosts := map[string]func(t *testing.T) string{
		"distribution":  func(t *testing.T) string { return startRegistry(t, registryOptions{}).Host },
		"referrers API": func(t *testing.T) string { return testregistry.New(t, testregistry.Options{}).Host },
	}
	for name, start := range hosts {
		t.Run(name, func(t *testing.T) {
			s := newSigner(t)
			source := start(t)
			s.pushSigned(source)
			online(t, s, start)
			offline(t, s, start)
		})
	}
}

// trustSpec selects the four artifacts. A policy accepts three of them.
func trustSpec(source string, policies bool) string {
	text := "apiVersion: oras-mirror/v1alpha1\nkind: Mirror\n"
	if policies {
		text += fmt.Sprintf("policies:\n  - match: [\"%s/team/**\"]\n    cosign: {keys: [cosign.pub]}\n    notation: {trustPolicy: trustpolicy.json, trustStore: truststore}\n", source)
	}
	text += "sources:\n"
	for _, repository := range []string{"bundle", "tag", "notation", "unsigned"} {
		text += fmt.Sprintf("  - \"%s/team/%s:v1\"\n", source, repository)
	}
	return text
}

const refusedUnsigned = "/team/unsigned:v1: verify: not signed"

// online checks signatures while artifacts are copied.
func online(t *testing.T, s *signer, start func(*testing.T) string) {
	s.mirror("backup", "-f", "mirror.yaml", "-o", "checked/", "--report", "report.json").exits(3).says(refusedUnsigned, "backed up 3 of 4 artifacts and 3 referrers")
	s.mirror("backup", "-f", "mirror.yaml", "-o", "checked.tgz").exits(3).says(refusedUnsigned, "backed up 3 of 4 artifacts and 3 referrers")
	report := s.read("report.json")
	if n := strings.Count(report, `"cosign key SHA256:`); n != 2 {
		t.Errorf("%d signers with the key of cosign:\n%s", n, report)
	}
	if n := strings.Count(report, `"notation CN=release,`); n != 1 {
		t.Errorf("%d signers with the certificate of notation:\n%s", n, report)
	}
	s.mirror("sync", "-f", "mirror.yaml", "--target", start(t)).exits(3).says(refusedUnsigned, "synced 3 of 4 artifacts and 3 referrers")
}

// offline checks signatures in what was copied without a policy, and in what one has checked.
func offline(t *testing.T, s *signer, start func(*testing.T) string) {
	s.mirror("backup", "-f", "free.yaml", "-o", "free/").exits(0)
	s.mirror("backup", "-f", "free.yaml", "-o", "free.tgz").exits(0)
	for _, input := range []string{"free/", "free.tgz", "-"} {
		stdin := func() *strings.Reader { return strings.NewReader(s.read("free.tgz")) }
		s.mirrorWith(stdin(), "verify", "-f", "mirror.yaml", "--input", input).exits(5).says(refusedUnsigned, "3 of 4 artifacts signed as the policies demand")
		s.mirrorWith(stdin(), "restore", "-f", "mirror.yaml", "--input", input, start(t)).exits(3).says(refusedUnsigned, "restored 3 of 4 artifacts and 3 referrers")
	}
	for _, input := range []string{"checked/", "checked.tgz"} {
		s.mirror("verify", "-f", "mirror.yaml", "--input", input).says("3 of 3 artifacts signed as the policies demand")
	}
}
