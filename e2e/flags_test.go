package e2e

import (
	"regexp"
	"slices"
	"testing"
)

// flagOfOras and flagOfOurs find flags in what --help says.
var (
	flagOfOras = regexp.MustCompile(`(?m)^ *(?:-\w, )?--([a-z-]+)`)
	flagOfOurs = regexp.MustCompile(`--(?:\[no-\])?([a-z-]+)`)
)

// TestOurFlagsAreThoseOfOras: whatever oras backup and restore take, ours take.
func TestOurFlagsAreThoseOfOras(t *testing.T) {
	d := newDesk(t)
	for _, command := range []string{"backup", "restore"} {
		ours := flagOfOurs.FindAllStringSubmatch(d.mirror(command, "--help").exits(0).stdout, -1)
		theirs := flagOfOras.FindAllStringSubmatch(d.oras(command, "--help"), -1)
		if len(theirs) < 15 {
			t.Errorf("oras %s takes only %q", command, theirs)
		}
		for _, flag := range theirs {
			if !slices.ContainsFunc(ours, func(our []string) bool { return our[1] == flag[1] }) {
				t.Errorf("oras %s takes --%s, ours does not", command, flag[1])
			}
		}
	}
}
