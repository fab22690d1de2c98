package trust

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/oras-mirror/oras-mirror/internal/testsign"
)

const (
	testIssuer  = "https://token.example.com"
	testSubject = "release@acme.example"
)

type (
	signer = testsign.Signer
	proofs = testsign.Proofs
	rootOf = testsign.RootOf
)

// sigstore is a whole sigstore. A nil one signs with keys.
type sigstore = testsign.Sigstore

// trustedRoot writes a trusted root and returns its path.
func trustedRoot(t *testing.T, s *sigstore, o rootOf) string {
	t.Helper()
	return writeFile(t, "trusted_root.json", s.TrustedRoot(o))
}

func marshal(t *testing.T, v any) []byte {
	t.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func writeFile(t *testing.T, name string, data []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
