package store

import (
	"encoding/json"
	"io"
	"strings"

	"github.com/oras-mirror/oras-mirror/store/bundle"
)

// dockerManifest is the file that lists the images of a docker-archive.
const dockerManifest = "manifest.json"

// maxDockerManifest is far above the size of such a file.
const maxDockerManifest = 1 << 20

// DockerArchiveError reports a docker-archive in place of an OCI layout: the format of
// "podman save", and of "docker save" before version 25.
type DockerArchiveError struct {
	Images []string // their names, such as "nginx:1.25"; may be empty
	Many   bool     // it has more than one image
}

func (e *DockerArchiveError) Error() string {
	return `not an OCI layout but a docker-archive, written by "podman save" or by "docker save" before version 25`
}

// readDockerArchive returns the content of manifest.json as an error; nil if the tar is
// not a docker-archive.
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

// noLayout returns an error for a tar without a layout at its top, by what else is in it.
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

// nestedLayoutError names the folder of a tar that contains a layout.
type nestedLayoutError struct{ folder string }

func (e *nestedLayoutError) Error() string {
	return "has its OCI layout in the folder " + e.folder + ", not at the top"
}
