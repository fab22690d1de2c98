package cli

import (
	"slices"
	"strings"

	"github.com/alecthomas/kong"

	"github.com/oras-mirror/oras-mirror/internal/completion"
)

// expandShortFlags returns the arguments with long flags in place of short ones that have
// an equals sign: --output=PATH for -o=PATH. Oras accepts those; kong would take "=PATH"
// for the path.
func expandShortFlags(root *kong.Node, args []string) []string {
	if len(args) > 0 && args[0] == completion.Command {
		return args // they belong to the command line that is completed
	}
	short := shortFlags(root)
	plain := make([]string, 0, len(args))
	for i, arg := range args {
		if arg == "--" {
			return append(plain, args[i:]...)
		}
		plain = append(plain, expandShortFlag(short, arg)...)
	}
	return slices.DeleteFunc(plain, func(arg string) bool { return arg == "--help=false" }) // kong would show it
}

// shortFlags returns the flags of all commands by their letters. A letter means the same
// flag in every command.
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

// expandShortFlag splits -qo=PATH into -q and --output=PATH. It returns any other argument
// unchanged.
func expandShortFlag(short map[byte]*kong.Flag, arg string) []string {
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
