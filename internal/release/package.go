package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// What packages, the formula and the image say about the program.
const (
	summary    = "Back up OCI artifacts of many registries and restore them to any registry"
	homepage   = "https://github.com/oras-mirror/oras-mirror"
	maintainer = "The oras-mirror authors <oras-mirror@users.noreply.github.com>"
	license    = "Apache-2.0"
)

// packagers are the kinds of packages, which nfpm also has as the endings of their files.
var packagers = []string{"deb", "rpm", "apk"}

// nfpmConfig has the keys of a configuration of nfpm that packages need. nfpm reads YAML,
// which JSON is a part of.
type nfpmConfig struct {
	Name          string         `json:"name"`
	Arch          string         `json:"arch"`
	Platform      string         `json:"platform"`
	Version       string         `json:"version"`
	VersionSchema string         `json:"version_schema"`
	Release       string         `json:"release"`
	Section       string         `json:"section"`
	Priority      string         `json:"priority"`
	Maintainer    string         `json:"maintainer"`
	Vendor        string         `json:"vendor"`
	Description   string         `json:"description"`
	Homepage      string         `json:"homepage"`
	License       string         `json:"license"`
	Recommends    []string       `json:"recommends"`
	MTime         time.Time      `json:"mtime"`
	NoGlobbing    bool           `json:"disable_globbing"`
	Contents      []nfpmFile     `json:"contents"`
	RPM           map[string]any `json:"rpm"`
}

type nfpmFile struct {
	Source string   `json:"src,omitempty"`
	Path   string   `json:"dst"`
	Type   string   `json:"type,omitempty"` // license, doc and dir for rpm
	Info   nfpmInfo `json:"file_info"`
}

type nfpmInfo struct {
	Mode  os.FileMode `json:"mode"`
	MTime time.Time   `json:"mtime"`
	Owner string      `json:"owner"`
	Group string      `json:"group"`
}

// writePackages writes the packages of a Linux platform: a deb, an rpm and an apk with the
// files of its archive.
func (r *release) writePackages(goarch string, files []file) error {
	for _, packager := range packagers {
		if err := r.writePackage(packager, goarch, files); err != nil {
			return fmt.Errorf("%s: %w", packager, err)
		}
	}
	return nil
}

// writePackage makes one package with nfpm, from files in a folder of its own.
func (r *release) writePackage(packager, goarch string, files []file) error {
	dir, err := os.MkdirTemp("", "release-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	path, err := r.stage(dir, packager, goarch, files)
	if err != nil {
		return err
	}
	target := filepath.Join(r.output, r.base("linux", goarch)+"."+packager)
	cmd := exec.Command(r.nfpm, "package", "--config", path, "--packager", packager, "--target", target)
	cmd.Env = append(os.Environ(), fmt.Sprintf("SOURCE_DATE_EPOCH=%d", r.time.Unix()))
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("nfpm: %w\n%s", err, out)
	}
	return nil
}

// stage writes the files of a package and its configuration to a folder, and returns the path
// of the configuration.
func (r *release) stage(dir, packager, goarch string, files []file) (string, error) {
	config, err := r.nfpmConfig(packager, goarch)
	if err != nil {
		return "", err
	}
	installed, err := r.installedFiles(packager, files)
	if err != nil {
		return "", err
	}
	for i, f := range installed {
		source := filepath.Join(dir, fmt.Sprint(i))
		if err := os.WriteFile(source, f.content, f.mode()); err != nil {
			return "", err
		}
		config.Contents = append(config.Contents, nfpmFile{
			Source: source, Path: f.name, Type: f.kind,
			Info: r.info(f.mode()),
		})
	}
	if packager == "rpm" { // which removes only the folders that it has
		for _, folder := range []string{docs, licenses} {
			config.Contents = append(config.Contents, nfpmFile{Path: strings.TrimSuffix(folder, "/"), Type: "dir", Info: r.info(0o755)})
		}
	}
	text, err := json.Marshal(config)
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "nfpm.json")
	return path, os.WriteFile(path, text, 0o600)
}

// info describes what root owns in a package.
func (r *release) info(mode os.FileMode) nfpmInfo {
	return nfpmInfo{Mode: mode, MTime: r.time, Owner: "root", Group: "root"}
}

// nfpmConfig returns the configuration of a package without its files. The build host would
// be the name of this machine.
func (r *release) nfpmConfig(packager, goarch string) (nfpmConfig, error) {
	v, err := parseVersion(r.version)
	if err != nil {
		return nfpmConfig{}, err
	}
	number, about := v.debian(), summary+"\n"+longDescription
	switch packager {
	case "rpm": // which has the summary in a field of its own
		about = longDescription
	case "apk": // which has one line
		about = summary
		if number, err = v.alpine(); err != nil {
			return nfpmConfig{}, err
		}
	}
	return nfpmConfig{
		Name: program, Arch: goarch, Platform: "linux", Version: number, VersionSchema: "none", Release: "1",
		Section: "utils", Priority: "optional", Maintainer: maintainer, Vendor: "oras-mirror",
		Description: about, Homepage: homepage, License: license,
		Recommends: []string{"ca-certificates"}, MTime: r.time, NoGlobbing: true,
		RPM: map[string]any{"summary": summary, "buildhost": "localhost", "packager": maintainer},
	}, nil
}

const longDescription = `oras-mirror copies images, charts, signatures and SBOMs of many registries
into one bundle or directory, and restores, syncs and serves them. It is one
static program.`
