// Release builds the files of a release: for each platform an archive with a static
// binary, and an SBOM; for Linux packages; a formula for Homebrew; the notes of the version
// out of the changelog; and the signed checksums of all files. The same source, version and
// Go result in the same bytes on every machine and in every folder. Run "make release".
package main

import (
	"cmp"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// platforms are the default platforms of a release.
const platforms = "linux/amd64,linux/arm64,darwin/amd64,darwin/arm64,windows/amd64,windows/arm64"

func main() {
	r := release{log: os.Stderr}
	var targets string
	var seconds int64
	flag.StringVar(&r.source, "source", ".", "folder of the module")
	flag.StringVar(&r.output, "output", "dist", "folder to write to; a release in it is removed first")
	flag.StringVar(&r.version, "version", "", "version of the release, as git describe prints it")
	flag.StringVar(&targets, "platforms", platforms, "platforms to build for")
	flag.StringVar(&r.nfpm, "nfpm", "", "nfpm, which makes the packages; none without it")
	flag.StringVar(&r.key, "sign", "", "key of ssh that signs SHA256SUMS; not signed without it")
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
	nfpm           string   // the program that makes packages; no packages if empty
	key            string   // signs the checksums; not signed if empty
	log            io.Writer

	here struct { // the program for this machine, which is built first
		platform string
		program  []byte
	}
}

func (r *release) run() error {
	if err := r.check(); err != nil {
		return err
	}
	changes, err := r.notes()
	if err != nil {
		return err
	}
	if err := r.removeLast(); err != nil {
		return err
	}
	if err := os.MkdirAll(r.output, 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(r.output, notesName(strings.TrimPrefix(r.version, "v"))), []byte(changes), 0o644); err != nil {
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
	if err := r.writeFormula(); err != nil {
		return err
	}
	if err := writeSums(r.output); err != nil {
		return err
	}
	return r.sign()
}

// notesName returns the name of the first file that a release writes; its version may be a pattern.
func notesName(version string) string { return fmt.Sprintf("%s_%s_notes.md", program, version) }

// removeLast removes the release that the output holds, complete or not, and no other folder.
func (r *release) removeLast() error {
	content, err := os.ReadDir(r.output)
	if errors.Is(err, fs.ErrNotExist) || err == nil && len(content) == 0 {
		return nil
	} else if err != nil {
		return err
	}
	if notes, err := filepath.Glob(filepath.Join(r.output, notesName("*"))); err != nil || len(notes) == 0 {
		return cmp.Or(err, fmt.Errorf("%s is not empty and holds no release; remove it or choose another -output", r.output))
	}
	return os.RemoveAll(r.output)
}

// check looks, before minutes of work, for what would fail at their end.
func (r *release) check() error {
	if r.nfpm != "" {
		for _, packager := range packagers {
			if _, err := r.nfpmConfig(packager, ""); err != nil {
				return err
			}
		}
		if _, err := exec.LookPath(r.nfpm); err != nil {
			return fmt.Errorf("the program that makes packages: %w", err)
		}
	}
	if r.key == "" {
		return nil
	}
	if _, err := os.Stat(r.key); err != nil {
		return fmt.Errorf("the key that signs: %w", err)
	}
	_, err := exec.LookPath("ssh-keygen")
	return err
}

// notes returns the changes of the version out of the changelog.
func (r *release) notes() (string, error) {
	v, err := parseVersion(r.version)
	if err != nil {
		return "", err
	}
	changelog, err := os.ReadFile(filepath.Join(r.source, "CHANGELOG.md"))
	if err != nil {
		return "", err
	}
	return notes(string(changelog), v)
}
