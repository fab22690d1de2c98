// Package certpool reads the certificates that a client trusts.
package certpool

import (
	"crypto/x509"
	"fmt"
	"os"
)

// WithFile returns the system's certificates and those of a PEM file: a server with a private
// CA may redirect to a host, or have a token service, with a public one.
func WithFile(path string) (*x509.CertPool, error) {
	pem, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("CA file: %w", err)
	}
	pool, err := x509.SystemCertPool()
	if err != nil {
		pool = x509.NewCertPool()
	}
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("CA file: no certificate in %s", path)
	}
	return pool, nil
}
