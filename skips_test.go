package main

import (
	"fmt"
	"os"
	"testing"

	"github.com/oras-mirror/oras-mirror/internal/skipped"
)

// counted are tests that say last what was not tested.
type counted struct{ *testing.M }

func (c counted) Run() int {
	code := c.M.Run()
	if err := skipped.Report(os.Stderr, "oras-mirror"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return code
}
