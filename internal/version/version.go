package version

import (
	"runtime"
	"runtime/debug"
)

// release is the version of a release; "" in other builds.
var release string

// Set names the version of a release, which its linker knows. It is called before Read.
func Set(version string) { release = version }

// Info is what "version --format json" prints.
type Info struct {
	Version   string            `json:"version"`
	Commit    string            `json:"commit,omitempty"`
	Modified  bool              `json:"modified,omitempty"` // by what is not committed
	Go        string            `json:"go"`
	Platform  string            `json:"platform"`
	Libraries map[string]string `json:"libraries"` // versions by module
}

// Read asks the linker first, then what the go command noted.
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
