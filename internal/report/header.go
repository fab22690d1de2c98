package report

import (
	"encoding/json"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/internal/filetype"
	"github.com/oras-mirror/oras-mirror/internal/version"
)

// Header has the first two names of each document and each event.
type Header struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
}

// NewHeader returns the header of a kind of document.
func NewHeader(kind string) Header { return Header{config.APIVersion, kind} }

// Version is the version of the program that made a report.
type Version string

// UnmarshalJSON reads a version, also from the object that reports had before.
func (v *Version) UnmarshalJSON(data []byte) error {
	var old struct{ OrasMirror string }
	if json.Unmarshal(data, &old) == nil {
		*v = Version(old.OrasMirror)
		return nil
	}
	return json.Unmarshal(data, (*string)(v))
}

// orasGo is the module whose version a report has.
const orasGo = "oras.land/oras-go/v2"

// newDocument returns the report of a command, with the versions of this program.
func newDocument(command string) Document {
	info := version.Read()
	d := Document{Header: NewHeader(filetype.ReportKind), Command: command, Version: Version(info.Version), Go: info.Go, Libraries: make(map[string]string)}
	if v := info.Libraries[orasGo]; v != "" {
		d.Libraries[orasGo] = v
	}
	return d
}
