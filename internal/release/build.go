package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
)

// program is the name of the released program.
const program = "oras-mirror"

// documents are copied to each archive.
var documents = []string{"LICENSE", "README.md", "CHANGELOG.md"}

// build returns the bytes of the program for one platform. They do not depend on this
// machine: no paths, no build id, no C library.
func (r *release) build(goos, goarch string) ([]byte, error) {
	if platform := goos + "/" + goarch; r.here.platform == platform {
		return r.here.program, nil
	}
	dir, err := os.MkdirTemp("", "release-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, program)
	cmd := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w -buildid= -X main.version="+r.version, "-o", path, ".")
	cmd.Dir = r.source
	cmd.Env = r.environment(goos, goarch)
	cmd.Stderr = os.Stderr
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("go build: %w", err)
	}
	return os.ReadFile(path)
}

// environment returns the environment of the go command for one platform. An architecture
// level or flags of the user would change the bytes.
func (r *release) environment(goos, goarch string) []string {
	return append(os.Environ(), "CGO_ENABLED=0", "GOOS="+goos, "GOARCH="+goarch, "GOAMD64=v1", "GOARM64=v8.0", "GOFLAGS=", "GOEXPERIMENT=")
}

// common returns the files of every archive besides the program: the documents, and the
// man page and the completions, which the program writes itself.
func (r *release) common() ([]file, error) {
	var all []file
	for _, name := range documents {
		content, err := os.ReadFile(filepath.Join(r.source, name))
		if err != nil {
			return nil, err
		}
		all = append(all, file{name: name, content: content})
	}
	here, err := r.build(runtime.GOOS, runtime.GOARCH)
	if err != nil {
		return nil, err
	}
	r.here.platform, r.here.program = runtime.GOOS+"/"+runtime.GOARCH, here
	generated, err := printed(here)
	return append(all, generated...), err
}

// printed runs the program to get the files that it prints.
func printed(binary []byte) ([]file, error) {
	dir, err := os.MkdirTemp("", "release-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, executable(program, runtime.GOOS))
	if err := os.WriteFile(path, binary, 0o700); err != nil {
		return nil, err
	}
	var all []file
	for _, f := range []struct{ name, arguments string }{
		{"oras-mirror.1", "man"},
		{"completion/oras-mirror.bash", "completion bash"},
		{"completion/_oras-mirror", "completion zsh"},
		{"completion/oras-mirror.fish", "completion fish"},
	} {
		out, err := exec.Command(path, strings.Fields(f.arguments)...).Output()
		if err == nil && len(bytes.TrimSpace(out)) == 0 {
			err = errors.New("printed nothing")
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", f.arguments, err)
		}
		all = append(all, file{name: f.name, content: out})
	}
	return all, nil
}

func executable(name, goos string) string {
	if goos == "windows" {
		return name + ".exe"
	}
	return name
}

// base returns the name of the files of one platform without their ending.
func (r *release) base(goos, goarch string) string {
	return fmt.Sprintf("%s_%s_%s_%s", program, strings.TrimPrefix(r.version, "v"), goos, goarch)
}

// platform writes the archive, the SBOM and the packages of one platform.
func (r *release) platform(platform string, common []file) error {
	goos, goarch, ok := strings.Cut(platform, "/")
	if !ok {
		return fmt.Errorf("invalid platform: not GOOS/GOARCH")
	}
	binary, err := r.build(goos, goarch)
	if err != nil {
		return err
	}
	base := r.base(goos, goarch)
	bom, err := sbom(base, r.version, binary, r.time)
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(r.output, base+".spdx.json"), bom, 0o644); err != nil {
		return err
	}
	libraries, err := r.thirdParty(goos, goarch)
	if err != nil {
		return err
	}
	files := append([]file{{name: executable(program, goos), content: binary, program: true}}, common...)
	files = append(files, file{name: licensesName, content: libraries})
	if goos == "linux" && r.nfpm != "" {
		if err := r.writePackages(goarch, files); err != nil {
			return err
		}
	}
	return r.writeArchive(goos, base, files)
}

// writeArchive writes the archive of one platform.
func (r *release) writeArchive(goos, base string, files []file) error {
	name, pack := base+".tar.gz", tarGzip
	if goos == "windows" {
		name, pack = base+".zip", zipped
	}
	archive, err := pack(files, r.time)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(r.output, name), archive, 0o644)
}
