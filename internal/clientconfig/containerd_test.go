package clientconfig

import (
	"net/url"
	"path"
	"strings"
	"testing"

	"github.com/oras-mirror/oras-mirror/config"
)

// hostsFile holds the keys of a hosts.toml, as in containerd's docs/hosts.md.
type hostsFile struct {
	Server     string          `toml:"server"`
	CA         string          `toml:"ca"`
	SkipVerify bool            `toml:"skip_verify"`
	Host       map[string]host `toml:"host"`
}

type host struct {
	Capabilities []string `toml:"capabilities"`
	CA           string   `toml:"ca"`
	SkipVerify   bool     `toml:"skip_verify"`
	OverridePath bool     `toml:"override_path"`
}

// containerdNode is the folder certs.d of a node.
type containerdNode map[string]hostsFile

func readContainerd(t *testing.T, files map[string][]byte) runtime {
	t.Helper()
	node := make(containerdNode)
	for name, text := range files {
		folder, base := path.Split(name)
		if base != "hosts.toml" {
			continue
		}
		var h hostsFile
		strictTOML(t, text, &h)
		certificates := []string{h.CA}
		for _, mirror := range h.Host {
			certificates = append(certificates, mirror.CA)
		}
		for _, ca := range certificates {
			if ca != "" && files[folder+ca] == nil {
				t.Errorf("%s names %s, which is not there", name, ca)
			}
		}
		if server, err := url.Parse(h.Server); err != nil || server.Host == "" || server.Path != "" || len(h.Host) != 1 {
			t.Errorf("%s: %+v", name, h)
		}
		node[strings.TrimSuffix(strings.TrimPrefix(folder, "certs.d/"), "/")] = h
	}
	return node
}

// pulls builds the URL as containerd does: it adds /v2 to the path of a host, if it is
// not there or overridden, then the name.
func (node containerdNode) pulls(t *testing.T, ref config.Reference) (scheme, at string) {
	t.Helper()
	folder := ref.Registry
	if at := strings.LastIndex(folder, ":"); at > 0 {
		folder = folder[:at] + "_" + folder[at+1:] + "_"
	}
	h, ok := node[folder]
	if !ok {
		h = node[ref.Registry]
	}
	for address, mirror := range h.Host {
		u, err := url.Parse(address)
		if err != nil {
			t.Fatal(err)
		}
		if !mirror.OverridePath && !strings.HasSuffix(u.Path, "/v2") {
			u.Path += "/v2"
		}
		name, ok := strings.CutPrefix(path.Join("/", u.Path, ref.Repository), "/v2/")
		if !ok || strings.Join(mirror.Capabilities, " ") != "pull resolve" {
			t.Errorf("%s: %+v", address, mirror)
		}
		return u.Scheme, u.Host + "/" + name
	}
	return "", ""
}
