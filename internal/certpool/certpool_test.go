package certpool

import (
	"encoding/pem"
	"errors"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestTLS reaches a server whose certificate only a file has, or only a client that trusts any.
func TestTLS(t *testing.T) {
	server := httptest.NewTLSServer(http.NotFoundHandler())
	defer server.Close()
	good, empty := filepath.Join(t.TempDir(), "ca.pem"), filepath.Join(t.TempDir(), "empty.pem")
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	if err := errors.Join(os.WriteFile(good, text, 0o600), os.WriteFile(empty, nil, 0o600)); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name, file string
		insecure   bool
		trusted    bool
	}{{name: "the system"}, {name: "a file", file: good, trusted: true}, {name: "any", insecure: true, trusted: true}} {
		c, err := TLS(test.file, test.insecure)
		if err != nil {
			t.Fatal(err)
		}
		client := http.Client{Transport: &http.Transport{TLSClientConfig: c}}
		resp, err := client.Get(server.URL)
		if (err == nil) != test.trusted {
			t.Errorf("%s: %v", test.name, err)
		}
		if err == nil {
			resp.Body.Close()
		}
		client.CloseIdleConnections()
	}
	if _, err := TLS(empty, false); err == nil || !strings.Contains(err.Error(), "no certificate in "+empty) {
		t.Errorf("an empty file: %v", err)
	}
	if _, err := TLS(good+".absent", false); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
}
