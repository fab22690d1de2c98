package store

import (
	"encoding/json"
	"io"
	"strings"

	"github.com/oras-mirror/oras-mirror/store/bundle"
)

// dockerFile lists the images of an archive of docker's own kind.
const dockerManifest = "manifest.json"

// maxDockerFile is far more than such a list has.
const maxDockerManifest = 1 << 20

// DockerArchiveError says that a tar is an archive of docker's own kind, which "docker
// save" wrote before version 25 and "podman save" still writes, and no OCI layout.
type DockerArchiveError struct {
	Images []string // what it names them, as in "nginx:1.25"; none where it has no names
	Many   bool     // it has more than one, with names or without
}

func (e *DockerArchiveError) Error() string {
	return `is a docker-archive, written by "podman save" or by "docker save" before version 25, not an OCI layout`
}

// dockerArchive returns what manifest.json says of a docker-archive, nil if it is none.
func readDockerArchive(content io.Reader) *DockerArchiveError {
	var images []struct {
		Config   string
		RepoTags []string
		Layers   []string
	}
	data, err := io.ReadAll(io.LimitReader(content, maxDockerManifest+1))
	if err != nil || json.Unmarshal(data, &images) != nil || len(images) == 0 || images[0].Config == "" {
		return nil
	}
	e := &DockerArchiveError{Many: len(images) > 1}
	for _, image := range images {
		e.Images = append(e.Images, image.RepoTags...)
	}
	return e
}

// noLayout says what a tar is that has no layout at its top.
func noLayout(r *bundle.Reader) error {
	if entry, err := r.Open(dockerManifest); err == nil {
		defer entry.Close()
		if e := readDockerArchive(entry); e != nil {
			return e
		}
	}
	for name := range r.Entries() {
		if folder, ok := strings.CutSuffix(name, "/"+bundle.LayoutFile); ok {
			return &nestedLayoutError{folder}
		}
	}
	return errNoLayout
}

// belowError says in which folder of a tar a layout is.
type nestedLayoutError struct{ folder string }

func (e *nestedLayoutError) Error() string {
	return "has its OCI layout in the folder " + e.folder + ", not at the top"
}
