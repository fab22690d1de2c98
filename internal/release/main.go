// Release builds the files of a release: for each platform an archive with a static
// binary, and an SBOM; and the checksums of all files. The same source, version and Go
// result in the same bytes on every machine and in every folder. Run "make release".
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"
	"time"
)

// platforms are the default platforms of a release.
const platforms = "linux/amd64,linux/arm64,darwin/amd64,darwin/arm64,windows/amd64,windows/arm64"

func main() {
	r := release{}
	var targets string
	var seconds int64
	flag.StringVar(&r.source, "source", ".", "folder of the module")
	flag.StringVar(&r.output, "output", "dist", "folder to write to; its content is removed first")
	flag.StringVar(&r.version, "version", "", "version of the release")
	flag.StringVar(&targets, "platforms", platforms, "platforms to build for")
	flag.Int64Var(&seconds, "time", 0, "time of all files, in seconds since 1970: the time of the commit")
	flag.Parse()
	r.time = time.Unix(seconds, 0).UTC()
	r.platforms = strings.Split(targets, ",")
	if err := r.run(); err != nil {
		fmt.Fprintln(os.Stderr, "release:", err)
		os.Exit(1)
	}
}

// release is one run.
type release struct {
	source, output string
	version        string
	time           time.Time
	platforms      []string // GOOS/GOARCH
}

func (r *release) run() error {
	if r.version == "" {
		return errors.New("-version is required")
	}
	if err := os.RemoveAll(r.output); err != nil {
		return err
	}
	if err := os.MkdirAll(r.output, 0o755); err != nil {
		return err
	}
	common, err := r.common()
	if err != nil {
		return err
	}
	for _, platform := range r.platforms {
		if err := r.platform(platform, common); err != nil {
			return fmt.Errorf("%s: %w", platform, err)
		}
	}
	return writeSums(r.output)
}
