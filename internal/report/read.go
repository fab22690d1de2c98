package report

import (
	"encoding/json"
	"fmt"
	"os"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/internal/exit"
	"github.com/oras-mirror/oras-mirror/internal/filetype"
)

// Read reads a report that a run of the same command wrote.
func Read(path, command string) (*Document, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, exit.Usage("", "%v", err)
	}
	d, err := parse(data)
	switch {
	case err != nil:
		return nil, exit.Usage("a report is what --report writes", "%s: %v", path, err)
	case d.Command != command:
		return nil, exit.Usage("", "%s is the report of a %s", path, d.Command)
	case !d.Planned:
		return nil, exit.Usage("run the whole again: what is there already is not fetched or pushed twice",
			"%s: that run ended before it knew all artifacts", path)
	}
	return d, nil
}

func parse(data []byte) (*Document, error) {
	var d Document
	if err := json.Unmarshal(data, &d); err != nil {
		return nil, fmt.Errorf("is no report: %w", err)
	}
	if d.APIVersion != config.APIVersion || d.Kind != filetype.ReportKind {
		return nil, fmt.Errorf("is no report of %s", config.APIVersion)
	}
	return &d, nil
}
