package registry

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
		for _, path := range defaultFiles() {
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

// reload returns what the files and the helpers have now.
func (s *stores) reload(ctx context.Context, host, repository string) (auth.Credential, error) {
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

// defaultFiles are the files that are asked, in this order.
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
