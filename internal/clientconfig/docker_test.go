package clientconfig

import (
	"bytes"
	"encoding/json"
	"net/url"
	"testing"

	"github.com/oras-mirror/oras-mirror/config"
)

// dockerDaemon holds the keys of a daemon.json, as in dockerd(8).
type dockerDaemon struct {
	Mirrors  []string `json:"registry-mirrors"`
	Insecure []string `json:"insecure-registries"`
}

func readDocker(t *testing.T, files map[string][]byte) runtime {
	t.Helper()
	var daemon dockerDaemon
	decoder := json.NewDecoder(bytes.NewReader(files["daemon.json"]))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&daemon); err != nil {
		t.Fatal(err)
	}
	return daemon
}

// pulls uses mirrors for Docker Hub only, each a host without a path.
func (daemon dockerDaemon) pulls(t *testing.T, ref config.Reference) (scheme, at string) {
	t.Helper()
	if ref.Registry != "docker.io" || len(daemon.Mirrors) != 1 {
		return "", ""
	}
	u, err := url.Parse(daemon.Mirrors[0])
	if err != nil || u.Path != "" {
		t.Fatalf("%s: %v", daemon.Mirrors[0], err)
	}
	return u.Scheme, u.Host + "/" + ref.Repository
}
