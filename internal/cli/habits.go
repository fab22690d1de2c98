package cli

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/alecthomas/kong"

	"github.com/oras-mirror/oras-mirror/internal/advice"
)

// usualCommands maps the commands of other tools to those that do the same here.
var usualCommands = map[string][]string{
	"copy": {"backup", "restore"}, "cp": {"backup", "restore"}, "sync": {"backup", "restore"}, "mirror": {"backup", "restore"},
	"pull": {"backup"}, "save": {"backup"}, "download": {"backup"}, "fetch": {"backup"}, "export": {"backup"},
	"push": {"restore"}, "load": {"restore"}, "upload": {"restore"}, "import": {"restore"},
	"ls": {"list"}, "show": {"list"}, "inspect": {"list"}, "info": {"list"}, "discover": {"list"},
	"check": {"verify", "validate"}, "lint": {"validate"}, "compare": {"diff"}, "freeze": {"lock"}, "pin": {"lock"},
	"clean": {"prune"}, "gc": {"prune"}, "rm": {"prune"}, "remove": {"prune"}, "delete": {"prune"},
	"new": {"init"}, "create": {"init"}, "config": {"client-config"},
}

func (m *mistake) usualCommand() string {
	switch word := m.unknownCommand(); word {
	case "login", "logout":
		return fmt.Sprintf(`use "oras %s REGISTRY"; oras-mirror uses the same credentials`, word)
	default:
		return advice.DidYouMean(usualCommands[word]...)
	}
}

// usualFlags maps the flags of other tools to those that do the same here.
var usualFlags = map[string]string{
	"-i": "--input", "-t": "--target", "-n": "--dry-run", "-k": "--insecure", "-s": "--quiet", "-v": "--debug", "--verbose": "--debug",
	"-c": "--file", "--config": "--file", "--spec": "--file", "--from": "--input", "--to": "--output",
	"-r": "--include-referrers", "--recursive": "--include-referrers",
}

// usualFlag knows flags of other tools, and of other commands, by what they do.
func (m *mistake) usualFlag() string {
	flag, found := strings.CutPrefix(m.fact, "unknown flag ")
	command := m.context.Selected()
	switch {
	case !found:
		return ""
	case flag == "--version" || command == nil && strings.EqualFold(flag, "-v"):
		return `"oras-mirror version" prints the version`
	case m.hasFlag(usualFlags[flag]):
		return advice.DidYouMean(usualFlags[flag])
	case cmp.Or(usualFlags[flag], flag) != "--dry-run" || command == nil:
		return ""
	case command.Name == "backup":
		return `"oras-mirror plan" shows what backup would do`
	case m.hasFlag("--check"):
		return advice.DidYouMean("--check")
	}
	return ""
}

func (m *mistake) hasFlag(name string) bool {
	return slices.ContainsFunc(m.flags(), func(f *kong.Flag) bool { return "--"+f.Name == name })
}

// flags are those of the command.
func (m *mistake) flags() []*kong.Flag {
	command := m.context.Selected()
	if command == nil {
		return nil
	}
	return slices.Concat(command.AllFlags(true)...)
}

// otherCommands names the commands that have the flag which this one has not.
func (m *mistake) otherCommands() string {
	flag, found := strings.CutPrefix(m.fact, "unknown flag ")
	if !found {
		return ""
	}
	var names []string
	for _, command := range m.context.Model.Leaves(true) {
		for _, f := range command.Flags {
			if flag == "--"+f.Name || f.Short != 0 && flag == "-"+string(f.Short) {
				names = append(names, command.Name)
			}
		}
	}
	if len(names) == 0 {
		return ""
	}
	return fmt.Sprintf("%s is a flag of %s", flag, strings.Join(names, ", "))
}
