package main

import (
	"fmt"
	"runtime"
	"runtime/debug"
)

// version is set by the linker in a release.
var version = ""

type versionCommand struct {
	Format string `enum:"text,json" default:"text" placeholder:"text|json" help:"Print text, or json."`
}

func (versionCommand) Help() string {
	return `Examples:

    oras-mirror version
    oras-mirror version --format json`
}

// versionInfo is what "version --format json" prints.
type versionInfo struct {
	Version   string            `json:"version"`
	Commit    string            `json:"commit,omitempty"`
	Modified  bool              `json:"modified,omitempty"` // by what is not committed
	Go        string            `json:"go"`
	Platform  string            `json:"platform"`
	Libraries map[string]string `json:"libraries"` // versions by module
}

func (c versionCommand) Run(u *ui) error {
	info := readVersion()
	if c.Format == "json" {
		return printJSON(u.Stdout, info)
	}
	_, err := fmt.Fprintf(u.answer(), "oras-mirror %s (%s, %s)\n", info.Version, info.Go, info.Platform)
	return err
}

// readVersion asks the linker first, then what the go command noted.
func readVersion() versionInfo {
	info := versionInfo{Version: version, Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH, Libraries: make(map[string]string)}
	build, ok := debug.ReadBuildInfo()
	if ok && info.Version == "" {
		info.Version = build.Main.Version
	}
	if info.Version == "" || info.Version == "(devel)" {
		info.Version = "dev"
	}
	if !ok {
		return info
	}
	info.Commit, info.Modified = setting(build, "vcs.revision"), setting(build, "vcs.modified") == "true"
	for _, module := range build.Deps {
		if module.Replace != nil {
			module = module.Replace
		}
		info.Libraries[module.Path] = module.Version
	}
	return info
}

func setting(build *debug.BuildInfo, key string) string {
	for _, s := range build.Settings {
		if s.Key == key {
			return s.Value
		}
	}
	return ""
}
