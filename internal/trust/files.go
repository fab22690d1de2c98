package trust

import (
	"fmt"
	"io"
	"os"

	"github.com/oras-mirror/oras-mirror/internal/bounds"
)

// maxFile bounds a file of a policy. The trusted root of the public sigstore has 10 KiB.
const maxFile = 4 << 20

// readFile reads a file of a policy. Its errors name the path.
func readFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, err
	}
	if len(data) > maxFile {
		return nil, fmt.Errorf("%s: %w", path, &bounds.Error{What: "bytes of a file:", Most: maxFile})
	}
	return data, nil
}
