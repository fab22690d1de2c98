package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// licensesName is the file with the licenses of the libraries in the program.
const licensesName = "THIRD-PARTY-LICENSES.txt"

var licenseFile = regexp.MustCompile(`(?i)^(licen[cs]e|copying|copyright|notice)([.-].*)?$`)

// thirdParty returns the licenses and notices of the libraries that the program contains on a
// platform, and of the standard library.
func (r *release) thirdParty(goos, goarch string) ([]byte, error) {
	modules, err := r.goCommand(goos, goarch, "list", "-deps", "-f", "{{with .Module}}{{if not .Main}}{{.Path}} {{.Version}}\t{{.Dir}}{{end}}{{end}}", ".")
	if err != nil {
		return nil, err
	}
	root, err := r.goCommand(goos, goarch, "env", "GOROOT")
	if err != nil {
		return nil, err
	}
	libraries := slices.Compact(slices.Sorted(strings.Lines(modules)))
	libraries = append(libraries, "Go, the standard library\t"+root)
	var all bytes.Buffer
	fmt.Fprintf(&all, "%s contains these libraries under these licenses.\n", program)
	for _, library := range libraries {
		name, dir, _ := strings.Cut(strings.TrimSpace(library), "\t")
		if err := appendLicenses(&all, name, dir); err != nil {
			return nil, err
		}
	}
	return all.Bytes(), nil
}

// appendLicenses appends the licenses in the folder of a library.
func appendLicenses(all *bytes.Buffer, library, dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	found := false
	for _, entry := range entries {
		if !entry.Type().IsRegular() || !licenseFile.MatchString(entry.Name()) || strings.HasSuffix(entry.Name(), ".go") {
			continue
		}
		content, err := os.ReadFile(filepath.Join(dir, entry.Name()))
		if err != nil {
			return err
		}
		fmt.Fprintf(all, "\n---- %s: %s\n\n%s\n", library, entry.Name(), bytes.TrimRight(content, "\n"))
		found = true
	}
	if !found {
		return fmt.Errorf("%s has no license file", library)
	}
	return nil
}

// goCommand returns the output of the go command for a platform.
func (r *release) goCommand(goos, goarch string, args ...string) (string, error) {
	cmd := exec.Command("go", args...)
	cmd.Dir = r.source
	cmd.Env = r.environment(goos, goarch)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("go %s: %w", args[0], err)
	}
	return string(out), nil
}
