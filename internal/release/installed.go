package main

import (
	"bytes"
	"compress/gzip"
	_ "embed"
	"errors"
	"fmt"
	"text/template"
	"time"
)

// installedFile is a file of a package, under the path that it is installed to.
type installedFile struct {
	file
	kind string // a type of nfpm
}

//go:embed debian_copyright
var debianCopyright string

//go:embed debian_changelog
var debianChangelogText string

var debianChangelog = template.Must(template.New("changelog").Parse(debianChangelogText))

// place says where a package has a file of the archive.
type place struct {
	path       string
	kind       string
	compressed bool
}

const (
	docs     = "/usr/share/doc/" + program + "/"
	licenses = "/usr/share/licenses/" + program + "/"
)

// places are the paths of the files of an archive in rpm and apk.
var places = map[string]place{
	program:                       {path: "/usr/bin/" + program},
	program + ".1":                {path: "/usr/share/man/man1/" + program + ".1.gz", compressed: true},
	"completion/oras-mirror.bash": {path: "/usr/share/bash-completion/completions/" + program},
	"completion/_oras-mirror":     {path: "/usr/share/zsh/site-functions/_oras-mirror"},
	"completion/oras-mirror.fish": {path: "/usr/share/fish/vendor_completions.d/oras-mirror.fish"},
	"README.md":                   {path: docs + "README.md", kind: "doc"},
	"CHANGELOG.md":                {path: docs + "CHANGELOG.md", kind: "doc"},
	"LICENSE":                     {path: licenses + "LICENSE", kind: "license"},
	licensesName:                  {path: licenses + licensesName, kind: "license"},
}

// debianPlaces are the paths that differ in a deb, as the Debian policy asks for (12.5 and 12.7).
var debianPlaces = map[string]place{
	"completion/_oras-mirror": {path: "/usr/share/zsh/vendor-completions/_oras-mirror"},
	"CHANGELOG.md":            {path: docs + "changelog.gz", compressed: true},
	licensesName:              {path: docs + licensesName + ".gz", compressed: true},
}

// installedFiles returns the files of a package from those of an archive.
func (r *release) installedFiles(packager string, files []file) ([]installedFile, error) {
	var all []installedFile
	for _, f := range files {
		at, ok := places[f.name]
		if special, there := debianPlaces[f.name]; there && packager == "deb" {
			at = special
		}
		if !ok {
			return nil, fmt.Errorf("no place for %s", f.name)
		}
		if f.name == "LICENSE" && packager == "deb" {
			continue // which is among the common licenses of Debian
		}
		if packager != "rpm" {
			at.kind = "" // nfpm leaves out such files elsewhere
		}
		content := f.content
		if at.compressed {
			var err error
			if content, err = gzipped(content); err != nil {
				return nil, err
			}
		}
		all = append(all, installedFile{file{name: at.path, content: content, program: f.program}, at.kind})
	}
	if packager != "deb" {
		return all, nil
	}
	debian, err := r.debianFiles()
	return append(all, debian...), err
}

// debianFiles returns the files that Debian asks for and the archive lacks.
func (r *release) debianFiles() ([]installedFile, error) {
	config, err := r.nfpmConfig("deb", "")
	if err != nil {
		return nil, err
	}
	var text bytes.Buffer
	err = debianChangelog.Execute(&text, map[string]string{
		"Version": config.Version + "-" + config.Release, "Tag": r.version,
		"Maintainer": maintainer, "Date": r.time.Format(time.RFC1123Z),
	})
	if err != nil {
		return nil, err
	}
	changelog, err := gzipped(text.Bytes())
	return []installedFile{
		{file: file{name: docs + "copyright", content: []byte(debianCopyright)}},
		{file: file{name: docs + "changelog.Debian.gz", content: changelog}},
	}, err
}

// gzipped compresses as "gzip -9n" does: without a name and a time.
func gzipped(content []byte) ([]byte, error) {
	var b bytes.Buffer
	z, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	_, err = z.Write(content)
	err = errors.Join(err, z.Close())
	return b.Bytes(), err
}
