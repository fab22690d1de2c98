package registry

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"

	"oras.land/oras-go/v2/registry"
	"oras.land/oras-go/v2/registry/remote/auth"
	"oras.land/oras-go/v2/registry/remote/credentials"

	"github.com/oras-mirror/oras-mirror/internal/dockerhub"
)

// stores are the places where credentials lie: the environment, where "oras login" and
// "docker login" put them, then where podman and skopeo do; or, if files are named,
// those alone, as in oras.
type stores struct {
	files []string

	once sync.Once
	list []*store
	err  error
}

// load reads the files, once. A named file that cannot be read is an error; one
// of the usual places that cannot is remembered by its store.
func (s *stores) load() error {
	s.once.Do(func() {
		for _, path := range s.files {
			st := openStore(path)
			s.err = errors.Join(s.err, st.err)
			s.list = append(s.list, st)
		}
		if len(s.files) > 0 {
			return
		}
		s.list = append(s.list, parseStore(authVariable, []byte(os.Getenv(authVariable))))
		for _, path := range usualFiles() {
			s.list = append(s.list, openStore(path))
		}
	})
	return s.err
}

// credential returns what the first store that knows the registry has. An error
// of one store does not keep the next from being asked.
func (s *stores) credential(ctx context.Context, host, repository string) (auth.Credential, error) {
	var errs error
	for _, st := range s.list {
		c, err := st.get(ctx, host, repository)
		if err == nil && c != auth.EmptyCredential {
			return c, nil
		}
		errs = errors.Join(errs, err)
	}
	return auth.EmptyCredential, errs
}

// readAnew returns what the files and the helpers have now.
func (s *stores) readAnew(ctx context.Context, host, repository string) (auth.Credential, error) {
	now := &stores{files: s.files}
	if err := now.load(); err != nil {
		return auth.EmptyCredential, err
	}
	return now.credential(ctx, host, repository)
}

// namespace returns the longest key of any store that names a part of the
// registry ("quay.io/org") which the repository is in, or "".
func (s *stores) namespace(host, repository string) string {
	longest := ""
	for _, st := range s.list {
		if key := st.namespace(host, repository); len(key) > len(longest) {
			longest = key
		}
	}
	return longest
}

// Stored reports whether there is a credential for a registry in some files, or if there
// are none in the usual places.
func Stored(ctx context.Context, files []string, name string) bool {
	s := &stores{files: files}
	if s.load() != nil {
		return false
	}
	c, err := s.credential(ctx, registry.Reference{Registry: name}.Host(), "")
	return err == nil && c != auth.EmptyCredential
}

// usualFiles are the files that are asked, in this order.
func usualFiles() []string {
	var paths []string
	home, _ := os.UserHomeDir()
	if dir := os.Getenv("DOCKER_CONFIG"); dir != "" {
		paths = append(paths, filepath.Join(dir, "config.json"))
	} else if home != "" {
		paths = append(paths, filepath.Join(home, ".docker", "config.json"))
	}
	// containers-auth.json(5)
	if path := os.Getenv("REGISTRY_AUTH_FILE"); path != "" {
		return append(paths, path)
	}
	if runtime.GOOS == "linux" {
		dir := os.Getenv("XDG_RUNTIME_DIR")
		if dir == "" {
			dir = filepath.Join("/run/containers", strconv.Itoa(os.Getuid()))
			paths = append(paths, filepath.Join(dir, "auth.json"))
		} else {
			paths = append(paths, filepath.Join(dir, "containers", "auth.json"))
		}
	}
	config := os.Getenv("XDG_CONFIG_HOME")
	if config == "" && home != "" {
		config = filepath.Join(home, ".config")
	}
	if config != "" {
		paths = append(paths, filepath.Join(config, "containers", "auth.json"))
	}
	return paths
}

// store is one credentials file and the helpers that it names, or what the environment has
// in the place of one. oras-go's store is not used: it takes any key that begins with the
// registry, and so a namespace's at random.
type store struct {
	name    string // of the file or the variable
	keys    map[string]json.RawMessage
	helpers map[string]string
	helper  string
	err     error
}

// authVariable has what a credentials file has (docker/cli, cli/config/configfile/file.go).
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

// read returns what the file has under a key. The error does not quote it.
func (s *store) read(key string) (auth.Credential, error) {
	var entry struct {
		Auth          string `json:"auth"` // base64 of USER:PASSWORD; wins over the two
		Username      string `json:"username"`
		Password      string `json:"password"`
		IdentityToken string `json:"identitytoken"`
		RegistryToken string `json:"registrytoken"`
	}
	if err := json.Unmarshal(s.keys[key], &entry); err != nil {
		return auth.EmptyCredential, fmt.Errorf("%s: the entry of %s is no credential", s.name, key)
	}
	c := auth.Credential{Username: entry.Username, Password: entry.Password, RefreshToken: entry.IdentityToken, AccessToken: entry.RegistryToken}
	if entry.Auth == "" {
		return c, nil
	}
	decoded, err := base64.StdEncoding.DecodeString(entry.Auth)
	username, password, ok := strings.Cut(string(decoded), ":")
	if err != nil || !ok {
		return auth.EmptyCredential, fmt.Errorf("%s: auth of %s is not base64 of USER:PASSWORD", s.name, key)
	}
	c.Username, c.Password = username, strings.Trim(password, "\x00") // as docker has it
	return c, nil
}

// get looks for a namespace of the repository, then asks the helper of the
// registry, then looks for the registry.
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

// HelperError says that a credential helper failed. What it printed is not part of it:
// that may be the secret.
type HelperError struct {
	Helper  string // docker-credential-NAME
	Address string // of the registry, as the helper was asked for it
	Err     error
}

func (e *HelperError) Error() string { return e.Helper + ": " + e.Err.Error() }
func (e *HelperError) Unwrap() error { return e.Err }

// What a helper answers that has nothing for a registry, and what stands in the place of
// the user name of an identity token
// (github.com/docker/docker-credential-helpers, credentials/error.go).
const (
	helperHasNone   = "credentials not found in native keychain"
	helperTokenUser = "<token>"
)

var errHelperAnswer = errors.New("its answer is no credential in JSON")

// runHelper asks a helper for the credential of an address. Neither of its outputs reaches
// our own.
func runHelper(ctx context.Context, helper, address string) (auth.Credential, error) {
	name := "docker-credential-" + helper
	cmd := exec.CommandContext(ctx, name, "get")
	cmd.Stdin = strings.NewReader(address)
	output, err := cmd.Output()
	if err != nil {
		if string(bytes.TrimSpace(output)) == helperHasNone {
			return auth.EmptyCredential, nil
		}
		return auth.EmptyCredential, &HelperError{name, address, err}
	}
	var answer struct{ Username, Secret string }
	if json.Unmarshal(output, &answer) != nil {
		return auth.EmptyCredential, &HelperError{name, address, errHelperAnswer}
	}
	if answer.Username == helperTokenUser {
		return auth.Credential{RefreshToken: answer.Secret}, nil
	}
	return auth.Credential{Username: answer.Username, Password: answer.Secret}, nil
}

// key returns the key under which the file has an address: itself, or as
// docker wrote it long ago, with a scheme and the version of the API.
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

// addresses are the names under which credentials of a registry may stand: first the one
// under which docker keeps them.
func addresses(host string) []string {
	if host == dockerhub.Host {
		return append([]string{credentials.ServerAddressFromHostname(host)}, dockerhub.Names()...)
	}
	return []string{host}
}
