package cli

import (
	"slices"
	"strings"

	"github.com/alecthomas/kong"

	"github.com/oras-mirror/oras-mirror/internal/completion"
)

// splitShortFlags writes short flags with a value behind an equals sign out: -o=PATH
// becomes --output=PATH. Oras takes those; kong would take "=PATH" for the path.
func splitShortFlags(root *kong.Node, args []string) []string {
	if len(args) > 0 && args[0] == completion.Command {
		return args // those are another command line
	}
	short := shortFlags(root)
	plain := make([]string, 0, len(args))
	for i, arg := range args {
		if arg == "--" {
			return append(plain, args[i:]...)
		}
		plain = append(plain, writtenOut(short, arg)...)
	}
	return slices.DeleteFunc(plain, func(arg string) bool { return arg == "--help=false" }) // kong would show it
}

// shortFlags returns the flags of all commands that have a letter: one letter means
// one flag in all of them.
func shortFlags(root *kong.Node) map[byte]*kong.Flag {
	short := make(map[byte]*kong.Flag)
	for _, node := range append(root.Leaves(false), root) {
		for _, flag := range node.Flags {
			if flag.Short != 0 {
				short[byte(flag.Short)] = flag
			}
		}
	}
	return short
}

// writtenOut splits -qo=PATH into -q and --output=PATH. What has no equals sign
// right behind a letter stays as it is.
func writtenOut(short map[byte]*kong.Flag, arg string) []string {
	letters, value, found := strings.Cut(arg, "=")
	if !found || len(letters) < 2 || letters[0] != '-' || letters[1] == '-' {
		return []string{arg}
	}
	last := len(letters) - 1
	for i := 1; i < len(letters); i++ {
		flag := short[letters[i]]
		if flag == nil || i < last && !flag.IsBool() { // the rest is its value
			return []string{arg}
		}
	}
	long := "--" + short[letters[last]].Name + "=" + value
	if last == 1 {
		return []string{long}
	}
	return []string{letters[:last], long}
}
