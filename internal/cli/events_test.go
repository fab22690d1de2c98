package cli

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/oras-mirror/oras-mirror/internal/console"
	"github.com/oras-mirror/oras-mirror/internal/testregistry"
)

// fullWriter is a full disk.
type fullWriter struct{}

func (fullWriter) Write([]byte) (int, error) { return 0, errors.New("no space left") }

func TestEventsThatCannotBeWritten(t *testing.T) {
	var errs bytes.Buffer
	s := console.Streams{Stdout: fullWriter{}, Stderr: &errs}
	code := Run(t.Context(), []string{"restore", "--format", "json", "--input", "testdata/layout", "--dry-run", testregistry.New(t, testregistry.Options{}).Host}, s)
	if code != 1 || !strings.Contains(errs.String(), "write the events: no space left") {
		t.Errorf("exit code %d, %s", code, errs.String())
	}
}
