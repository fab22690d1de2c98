// Package certpool reads the certificates that a client trusts.
package certpool

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"
)

// TLS returns the configuration of a client that trusts the certificates of the system and those of
// a PEM file, which may be "". With insecure it trusts any.
func TLS(caFile string, insecure bool) (*tls.Config, error) {
	c := &tls.Config{MinVersion: tls.VersionTLS12, InsecureSkipVerify: insecure}
	if caFile == "" {
		return c, nil
	}
	pool, err := withFile(caFile)
	if err != nil {
		return nil, err
	}
	c.RootCAs = pool
	return c, nil
}

// withFile returns the system's certificates and those of a PEM file: a server with a private
// CA may redirect to a host, or have a token service, with a public one.
func withFile(path string) (*x509.CertPool, error) {
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
