package cli

import (
	"testing"

	"github.com/alecthomas/kong"

	"github.com/oras-mirror/oras-mirror/internal/console"
)

// TestCommandAlone: the grammar of one command has that command and all of its flags.
func TestCommandAlone(t *testing.T) {
	whole, err := Grammar()
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range whole.Model.Leaves(true) {
		parser, err := newParser(t.Context(), oneCommand([]string{want.Name}), console.Streams{}, new(profile))
		if err != nil {
			t.Fatal(want.Name, err)
		}
		all := parser.Model.Leaves(false)
		if len(all) != 1 || all[0].Name != want.Name || !sameFlags(all[0].AllFlags(false), want.AllFlags(false)) {
			t.Errorf("%s alone has other commands or flags", want.Name)
		}
	}
	for _, name := range []string{"", "backups", "help", "__complete", "--help", "CPUProfile"} {
		if oneCommand([]string{name}) != nil {
			t.Errorf("%q has a grammar of its own", name)
		}
	}
}

func sameFlags(a, b [][]*kong.Flag) bool {
	names := func(all [][]*kong.Flag) (text string) {
		for _, group := range all {
			for _, f := range group {
				text += " " + f.String() + f.Help
			}
		}
		return text
	}
	return names(a) == names(b)
}
