package cli

import (
	"strings"
	"testing"
)

// TestHelpOfInputs looks for the inputs that users do not guess: the parts of a bundle, and a base
// with its delta.
func TestHelpOfInputs(t *testing.T) {
	for _, command := range []string{"verify", "list", "serve", "restore", "plan"} {
		code, out, errs := try(t, "", command, "--help")
		if code != 0 {
			t.Errorf("%s: exit code %d: %s", command, code, errs)
		}
		words := strings.Join(strings.Fields(out), " ")
		for _, want := range []string{"--input 'bundle.*.tgz'", "--input monday.tgz --input tuesday.tgz", "A quoted pattern such as 'NAME.*.tgz'"} {
			if !strings.Contains(words, want) {
				t.Errorf("%s: the help lacks %s", command, want)
			}
		}
	}
}
