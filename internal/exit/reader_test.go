package exit

import (
	"io"
	"testing"

	"github.com/oras-mirror/oras-mirror/internal/testregistry"
)

func TestStoppableReadsAll(t *testing.T) {
	want := testregistry.Random("stoppable", 3*readSize+17)
	reader, writer := io.Pipe()
	go func() {
		writer.Write(want)
		writer.Close()
	}()
	got, err := io.ReadAll(NewReader(t.Context(), reader))
	if err != nil || string(got) != string(want) {
		t.Errorf("%d bytes, %v", len(got), err)
	}
}
