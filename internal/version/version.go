// Package version knows the version of the program and of its libraries.
package version

import (
	"runtime"
	"runtime/debug"
)

// release is the version of a release; "" in other builds.
var release string

// Set sets the version of a release, which the linker gives to package main. It must be called
// before Read.
func Set(version string) { release = version }

// Info describes the program. As JSON it is the output of "version --format json".
type Info struct {
	Version   string            `json:"version"`
	Commit    string            `json:"commit,omitempty"`
	Modified  bool              `json:"modified,omitempty"` // the source had changes that were not committed
	Go        string            `json:"go"`
	Platform  string            `json:"platform"`
	Libraries map[string]string `json:"libraries"` // versions by module
}

// Read returns the version that Set was given, or else the one that the go command recorded.
func Read() Info {
	info := Info{Version: release, Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH, Libraries: make(map[string]string)}
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
