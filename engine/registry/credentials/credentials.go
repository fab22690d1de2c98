// Package credentials finds the credential of a registry where oras, docker, podman and skopeo keep
// them: in the environment, in files, and with credential helpers.
package credentials

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"sync"

	"oras.land/oras-go/v2/registry"
	"oras.land/oras-go/v2/registry/remote/auth"
)

// Stores holds the stores of credentials in their order: the environment, the file of
// "oras login" and "docker login", then those of podman and skopeo; or only the named
// files, as in oras.
type Stores struct {
	Files []string // nil: the default ones

	once sync.Once
	list []*store
	err  error
}

// Load reads the files once. A named file that cannot be read is an error; for one of
// the default files the store keeps the error.
func (s *Stores) Load() error {
	s.once.Do(func() {
		for _, path := range s.Files {
			st := openStore(path)
			s.err = errors.Join(s.err, st.err)
			s.list = append(s.list, st)
		}
		if len(s.Files) > 0 {
			return
		}
		s.list = append(s.list, parseStore(authVariable, []byte(os.Getenv(authVariable))))
		for _, path := range defaultFiles() {
			s.list = append(s.list, openStore(path))
		}
	})
	return s.err
}

// Credential returns the credential of the first store that has one for the registry.
// After an error of one store it asks the next.
func (s *Stores) Credential(ctx context.Context, host, repository string) (auth.Credential, error) {
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

// Reload returns the credential that the files and the helpers have now.
func (s *Stores) Reload(ctx context.Context, host, repository string) (auth.Credential, error) {
	now := &Stores{Files: s.Files}
	if err := now.Load(); err != nil {
		return auth.EmptyCredential, err
	}
	return now.Credential(ctx, host, repository)
}

// Namespace returns the longest key of any store that names a part of the registry
// ("quay.io/org") with the repository in it, or "".
func (s *Stores) Namespace(host, repository string) string {
	longest := ""
	for _, st := range s.list {
		if key := st.namespace(host, repository); len(key) > len(longest) {
			longest = key
		}
	}
	return longest
}

// Stored reports whether files, or the default ones if files is empty, have a
// credential for a registry.
func Stored(ctx context.Context, files []string, name string) bool {
	s := &Stores{Files: files}
	if s.Load() != nil {
		return false
	}
	c, err := s.Credential(ctx, registry.Reference{Registry: name}.Host(), "")
	return err == nil && c != auth.EmptyCredential
}

// defaultFiles returns the files to read, in this order.
func defaultFiles() []string {
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
