package cli

import (
	"github.com/alecthomas/kong"

	"github.com/oras-mirror/oras-mirror/internal/exit"
)

// once lists the flags that name one file, with what to do for two. The last of two values
// would count, and what the first one names would be left out unnoticed.
var once = map[string]string{
	"file":      "run once for each spec, or list all sources in one",
	"output":    "run once for each output",
	"statement": "run once for each statement",
	"report":    "name one file",
	"metrics":   "name one file",
	"from":      "run once for each file",
}

// checkRepeated returns an error for a flag of once that a command line has twice.
func checkRepeated(command *kong.Context) error {
	seen := make(map[*kong.Flag]bool)
	for _, p := range command.Path {
		flag := p.Flag
		if flag == nil || flag.IsCumulative() {
			continue
		}
		if hint, single := once[flag.Name]; single && seen[flag] {
			return exit.Usage(hint, "%s can be given only once", nameOfFlag(flag))
		}
		seen[flag] = true
	}
	return nil
}

// nameOfFlag returns a flag as most users type it: -f.
func nameOfFlag(flag *kong.Flag) string {
	if flag.Short != 0 {
		return "-" + string(flag.Short)
	}
	return "--" + flag.Name
}
