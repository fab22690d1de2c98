package report

import (
	"cmp"
	"encoding/json"
	"fmt"
	"os"

	"github.com/opencontainers/go-digest"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/internal/exit"
	"github.com/oras-mirror/oras-mirror/internal/filetype"
)

// Read reads the report of an earlier run of command for --only-failed.
func Read(path, command string) (*Document, error) {
	if err := exit.CheckFiles(path); err != nil {
		return nil, err
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, exit.Usage("", "%v", err)
	}
	d, err := parse(data)
	switch {
	case err != nil:
		return nil, exit.Usage("use a report that --report wrote", "%s: %v", path, err)
	case d.Command != command:
		return nil, exit.Usage("", "%s is the report of a %s", path, d.Command)
	case !d.Planned:
		return nil, exit.Usage("run without --only-failed; the run skips content that is already there",
			"%s: the run ended before all artifacts were known", path)
	}
	return d, nil
}

func parse(data []byte) (*Document, error) {
	var d Document
	if err := json.Unmarshal(data, &d); err != nil {
		return nil, fmt.Errorf("not a report: %w", err)
	}
	if d.APIVersion != config.APIVersion || d.Kind != filetype.ReportKind {
		return nil, fmt.Errorf("not a report of %s", config.APIVersion)
	}
	return &d, d.readOldNames(data)
}

// readOldNames reads what an earlier version called by other names.
func (d *Document) readOldNames(data []byte) error {
	var old struct {
		Artifacts []struct {
			Bytes       int64
			Referrers   int
			Overwritten digest.Digest
		}
	}
	if err := json.Unmarshal(data, &old); err != nil {
		return fmt.Errorf("not a report: %w", err)
	}
	for i, o := range old.Artifacts {
		a := &d.Artifacts[i]
		a.Size, a.Referrers, a.Previous = cmp.Or(a.Size, o.Bytes), cmp.Or(a.Referrers, o.Referrers), cmp.Or(a.Previous, o.Overwritten)
	}
	return nil
}
