package trust

import (
	"context"
	"crypto/x509"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/notaryproject/notation-core-go/revocation"
	"github.com/notaryproject/notation-core-go/revocation/result"
	"github.com/notaryproject/notation-go/verifier/trustpolicy"
	"github.com/notaryproject/notation-go/verifier/truststore"
)

// trustStore has the certificates that the statements of a trust policy name, by type and
// name, such as "ca:acme". A run reads them once.
type trustStore map[string][]*x509.Certificate

var _ truststore.X509TrustStore = trustStore(nil)

// GetCertificates returns the certificates of a store.
func (s trustStore) GetCertificates(_ context.Context, kind truststore.Type, name string) ([]*x509.Certificate, error) {
	certificates, ok := s[string(kind)+":"+name]
	if !ok {
		return nil, fmt.Errorf("there is no trust store %s:%s", kind, name)
	}
	return certificates, nil
}

// readTrustStore reads the stores that a trust policy names from a folder that notation made.
func readTrustStore(folder string, document *trustpolicy.Document) (trustStore, error) {
	files := truststore.NewX509TrustStore(storeFolder{folder})
	stores := make(trustStore)
	for _, statement := range document.TrustPolicies {
		for _, store := range statement.TrustStores {
			if stores[store] != nil {
				continue
			}
			kind, name, _ := strings.Cut(store, ":")
			certificates, err := files.GetCertificates(context.Background(), truststore.Type(kind), name)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", folder, err)
			}
			stores[store] = certificates
		}
	}
	return stores, nil
}

// storeFolder is the folder truststore in a configuration of notation.
type storeFolder struct{ path string }

func (f storeFolder) Open(name string) (fs.File, error) { return os.DirFS(f.path).Open(name) }

// SysPath returns the path of items. The first begins with truststore/.
func (f storeFolder) SysPath(items ...string) (string, error) {
	inside := filepath.ToSlash(filepath.Join(items...))
	return filepath.Join(f.path, filepath.FromSlash(strings.TrimPrefix(inside, "truststore/"))), nil
}

// offline answers for every certificate that it cannot be revoked. notation asks even for
// certificates of timestamp authorities whose revocation a policy does not check.
type offline struct{}

var _ revocation.Validator = offline{}

func (offline) ValidateContext(_ context.Context, o revocation.ValidateContextOptions) ([]*result.CertRevocationResult, error) {
	var results []*result.CertRevocationResult
	for range o.CertChain {
		results = append(results, &result.CertRevocationResult{Result: result.ResultNonRevokable})
	}
	return results, nil
}
