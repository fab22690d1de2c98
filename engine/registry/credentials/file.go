package credentials

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"oras.land/oras-go/v2/registry/remote/auth"
	"oras.land/oras-go/v2/registry/remote/credentials"

	"github.com/oras-mirror/oras-mirror/internal/dockerhub"
)

// store is one credentials file and the helpers that it names, or the environment
// variable with the same content. It replaces oras-go's store, which uses any key that
// begins with the registry, and so a namespace's at random.
type store struct {
	name    string // the file or the variable
	keys    map[string]json.RawMessage
	helpers map[string]string
	helper  string
	err     error
}

// authVariable has the content of a credentials file (docker/cli,
// cli/config/configfile/file.go).
const authVariable = "DOCKER_AUTH_CONFIG"

func openStore(path string) *store {
	data, err := os.ReadFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return &store{name: path}
	case err != nil:
		return &store{name: path, err: err}
	}
	return parseStore(path, data)
}

func parseStore(name string, data []byte) *store {
	s := &store{name: name}
	if len(bytes.TrimSpace(data)) == 0 {
		return s
	}
	var config struct {
		Auths       map[string]json.RawMessage `json:"auths"`
		CredsStore  string                     `json:"credsStore"`
		CredHelpers map[string]string          `json:"credHelpers"`
	}
	if err := json.Unmarshal(data, &config); err != nil {
		s.err = fmt.Errorf("%s: %w", name, err)
		return s
	}
	s.keys, s.helper, s.helpers = config.Auths, config.CredsStore, config.CredHelpers
	return s
}

// read returns the credential under a key of the file. The error does not quote it.
func (s *store) read(key string) (auth.Credential, error) {
	var entry struct {
		Auth          string `json:"auth"` // base64 of USER:PASSWORD; wins over the two
		Username      string `json:"username"`
		Password      string `json:"password"`
		IdentityToken string `json:"identitytoken"`
		RegistryToken string `json:"registrytoken"`
	}
	if err := json.Unmarshal(s.keys[key], &entry); err != nil {
		return auth.EmptyCredential, fmt.Errorf("%s: invalid entry for %s", s.name, key)
	}
	c := auth.Credential{Username: entry.Username, Password: entry.Password, RefreshToken: entry.IdentityToken, AccessToken: entry.RegistryToken}
	if entry.Auth == "" {
		return c, nil
	}
	decoded, err := base64.StdEncoding.DecodeString(entry.Auth)
	username, password, ok := strings.Cut(string(decoded), ":")
	if err != nil || !ok {
		return auth.EmptyCredential, fmt.Errorf("%s: invalid auth for %s: not base64 of USER:PASSWORD", s.name, key)
	}
	c.Username, c.Password = username, strings.Trim(password, "\x00") // as docker does
	return c, nil
}

// get looks up a namespace of the repository in the file, then asks the helper of the
// registry, then looks up the registry in the file.
func (s *store) get(ctx context.Context, host, repository string) (auth.Credential, error) {
	if s.err != nil {
		return auth.EmptyCredential, s.err
	}
	if key := s.namespace(host, repository); key != "" {
		if c, err := s.read(key); err != nil || c != auth.EmptyCredential {
			return c, err
		}
	}
	c, helperErr := s.ask(ctx, host)
	if c != auth.EmptyCredential {
		return c, nil
	}
	for _, key := range addresses(host) {
		if key = s.key(key); key == "" {
			continue
		}
		if c, err := s.read(key); err != nil || c != auth.EmptyCredential {
			return c, err
		}
	}
	return auth.EmptyCredential, helperErr
}

// ask runs the helper that the file names for the registry, if any.
func (s *store) ask(ctx context.Context, host string) (auth.Credential, error) {
	for _, address := range addresses(host) {
		if helper := s.helpers[address]; helper != "" {
			return runHelper(ctx, helper, address)
		}
	}
	if s.helper == "" {
		return auth.EmptyCredential, nil
	}
	for _, address := range addresses(host) {
		if c, err := runHelper(ctx, s.helper, address); err != nil || c != auth.EmptyCredential {
			return c, err
		}
	}
	return auth.EmptyCredential, nil
}

// key returns the key of an address in the file: the address itself, or, as docker
// wrote it long ago, with a scheme and the version of the API.
func (s *store) key(address string) string {
	if _, ok := s.keys[address]; ok {
		return address
	}
	for _, scheme := range []string{"https://", "http://", ""} {
		for _, path := range []string{"", "/", "/v1/", "/v2/", "/v1", "/v2"} {
			if _, ok := s.keys[scheme+address+path]; ok {
				return scheme + address + path
			}
		}
	}
	return ""
}

// namespace returns the longest key that names a namespace of the repository
// or the repository itself, as in containers-auth.json(5).
func (s *store) namespace(host, repository string) string {
	for path := repository; path != ""; path = parent(path) {
		for _, address := range addresses(host) {
			if _, ok := s.keys[address+"/"+path]; ok {
				return address + "/" + path
			}
		}
	}
	return ""
}

func parent(path string) string {
	i := strings.LastIndexByte(path, '/')
	return path[:max(i, 0)]
}

// addresses returns the names under which the credential of a registry may be stored,
// the one that docker uses first.
func addresses(host string) []string {
	if host == dockerhub.Host {
		return append([]string{credentials.ServerAddressFromHostname(host)}, dockerhub.Names()...)
	}
	return []string{host}
}
