package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
)

// program is what is released.
const program = "oras-mirror"

// documents go into each archive as they are.
var documents = []string{"LICENSE", "README.md", "CHANGELOG.md"}

// build returns the bytes of the program for one platform. Nothing of this
// machine is in them: no paths, no build id, no C library.
func (r *release) build(goos, goarch string) ([]byte, error) {
	dir, err := os.MkdirTemp("", "release-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, program)
	cmd := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w -buildid= -X main.version="+r.version, "-o", path, ".")
	cmd.Dir = r.source
	// A level of an architecture and flags of a user would change the bytes.
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS="+goos, "GOARCH="+goarch, "GOAMD64=v1", "GOARM64=v8.0", "GOFLAGS=", "GOEXPERIMENT=")
	cmd.Stderr = os.Stderr
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("go build: %w", err)
	}
	return os.ReadFile(path)
}

// common is what every archive has beside the program: documents, the man page,
// completions, the latter two made by the program itself.
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
	made, err := printed(here)
	return append(all, made...), err
}

// printed runs the program for the files that it prints.
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
		if err != nil || len(bytes.TrimSpace(out)) == 0 {
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

// platform writes the archive and the SBOM of one platform.
func (r *release) platform(platform string, common []file) error {
	goos, goarch, ok := strings.Cut(platform, "/")
	if !ok {
		return fmt.Errorf("no GOOS/GOARCH")
	}
	binary, err := r.build(goos, goarch)
	if err != nil {
		return err
	}
	base := fmt.Sprintf("%s_%s_%s_%s", program, strings.TrimPrefix(r.version, "v"), goos, goarch)
	bom, err := sbom(base, r.version, binary, r.time)
	if err != nil {
		return err
	}
	files := append([]file{{name: executable(program, goos), content: binary, program: true}}, common...)
	name, pack := base+".tar.gz", tarGzip
	if goos == "windows" {
		name, pack = base+".zip", zipped
	}
	archive, err := pack(files, r.time)
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(r.output, base+".spdx.json"), bom, 0o644); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(r.output, name), archive, 0o644)
}
