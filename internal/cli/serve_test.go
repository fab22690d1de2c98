package cli

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/oras-mirror/oras-mirror/internal/console"
)

// stopper ends a run when it says a word.
type stopper struct {
	bytes.Buffer
	word string
	stop func()
}

func (s *stopper) Write(p []byte) (int, error) {
	if strings.Contains(string(p), s.word) {
		s.stop()
	}
	return s.Buffer.Write(p)
}

// TestServeWithoutTLSSaysWhatThatMeans: on an address that others can reach.
func TestServeWithoutTLSSaysWhatThatMeans(t *testing.T) {
	for address, want := range map[string]string{
		"127.0.0.1:0": "", "localhost:0": "", "[::1]:0": "",
		":0":        "others on the network can read and change what clients pull; --cert-file and --key-file prevent that",
		"0.0.0.0:0": "others on the network can read and change what clients pull",
	} {
		ctx, cancel := context.WithCancelCause(t.Context())
		stderr := &stopper{word: "serving ", stop: func() { cancel(errors.New("stopped")) }}
		Run(ctx, []string{"serve", "--input", "testdata/layout", "--listen", address},
			console.Streams{Stdin: strings.NewReader(""), Stdout: new(bytes.Buffer), Stderr: stderr})
		said := stderr.String()
		if strings.Contains(said, "cannot assign") { // no IPv6
			continue
		}
		if !strings.Contains(said, "serving ") || strings.Contains(said, "without TLS") != (want != "") || !strings.Contains(said, want) {
			t.Errorf("%s:\n%s", address, said)
		}
	}
}
