package cli

import (
	"fmt"
	"slices"
	"strings"

	"github.com/alecthomas/kong"

	"github.com/oras-mirror/oras-mirror/internal/advice"
)

// commandsOfOtherTools maps the commands of other tools to those that do the same here.
var commandsOfOtherTools = map[string][]string{
	"copy": {"sync", "backup", "restore"}, "cp": {"sync", "backup", "restore"}, "mirror": {"sync", "backup", "restore"},
	"replicate": {"sync"}, "once": {"sync"}, "registry": {"serve"}, "store": {"backup", "restore", "serve"},
	"pull": {"backup"}, "save": {"backup"}, "download": {"backup"}, "fetch": {"backup"}, "export": {"backup"},
	"push": {"restore"}, "load": {"restore"}, "upload": {"restore"}, "import": {"restore"},
	"ls": {"list"}, "show": {"list"}, "inspect": {"list"}, "info": {"list"}, "discover": {"list"},
	"check": {"verify", "validate"}, "lint": {"validate"}, "compare": {"diff"}, "freeze": {"lock"}, "pin": {"lock"},
	"clean": {"prune"}, "gc": {"prune"}, "rm": {"prune"}, "remove": {"prune"}, "delete": {"prune"},
	"scan": {"images"}, "extract": {"images"},
	"new": {"init"}, "create": {"init"}, "config": {"client-config"},
}

// commandsOfOras maps the commands of other tools on one artifact or registry to those of oras.
var commandsOfOras = map[string]string{
	"tag": "tag", "tags": "repo tags", "list-tags": "repo tags", "catalog": "repo ls",
	"digest": "resolve", "resolve": "resolve", "manifest": "manifest fetch", "blob": "blob fetch", "attach": "attach",
}

// commandOfOtherTool suggests the command that does the same as one of another tool.
func (m *mistake) commandOfOtherTool() string {
	switch word := m.unknownCommand(); word {
	case "login", "logout":
		return fmt.Sprintf(`use "oras %s REGISTRY"; oras-mirror uses the same credentials`, word)
	default:
		if oras, found := commandsOfOras[word]; found {
			return fmt.Sprintf(`use "oras %s"`, oras)
		}
		return advice.DidYouMean(commandsOfOtherTools[word]...)
	}
}

// flagsOfOtherTools maps the flags of other tools to those that do the same here.
var flagsOfOtherTools = map[string][]string{
	"-i": {"--input"}, "-t": {"--target"}, "-n": {"--dry-run"}, "-k": {"--insecure"}, "-s": {"--quiet"}, "-v": {"--debug"}, "--verbose": {"--debug"},
	"-c": {"--file"}, "--config": {"--file"}, "--spec": {"--file"}, "--from": {"--input"}, "--to": {"--output", "--target"},
	"-r": {"--include-referrers"}, "--recursive": {"--include-referrers"},
	"--tls-verify": {"--insecure"}, "--src-tls-verify": {"--from-insecure"}, "--dest-tls-verify": {"--to-insecure"}, "--dest-skip-tls": {"--to-insecure"},
	"--authfile": {"--registry-config"}, "--src-authfile": {"--from-registry-config"}, "--dest-authfile": {"--to-registry-config"},
	"--creds": {"--username"}, "--src-creds": {"--from-username"}, "--dest-creds": {"--to-username"},
	"--parallel": {"--concurrency"}, "--filename": {"--input", "--output"},
	"--port": {"--listen"}, "--addr": {"--listen"}, "--address": {"--listen"}, "-p": {"--listen"}, "--username": {"--htpasswd"}, "-u": {"--htpasswd"},
}

// flagOfOtherTool suggests the flag that does the same as one of another tool, or of
// another command.
func (m *mistake) flagOfOtherTool() string {
	flag, found := strings.CutPrefix(m.fact, "unknown flag ")
	command := m.context.Selected()
	same := flagsOfOtherTools[flag]
	known := slices.IndexFunc(same, m.hasFlag)
	switch {
	case !found:
		return ""
	case flag == "--version" || command == nil && strings.EqualFold(flag, "-v"):
		return `"oras-mirror version" prints the version`
	case known >= 0:
		return advice.DidYouMean(same[known])
	case flag == "--all" && m.hasFlag("--platform"):
		return advice.DidYouMean("--platform all")
	case flag == "--json" && m.hasFlag("--format"):
		return advice.DidYouMean("--format json")
	case flag == "--input" && command != nil && command.Name == "merge":
		return "name the inputs as arguments, without a flag"
	case flag == "--from" && m.hasFlag("--from-username"):
		return "name the references to copy as arguments, without a flag"
	case flag != "--dry-run" && flag != "-n" || command == nil:
		return ""
	case command.Name == "backup":
		return `"oras-mirror plan" shows what backup would do`
	case m.hasFlag("--check"):
		return advice.DidYouMean("--check")
	}
	return ""
}

// hasFlag reports whether the command has a flag.
func (m *mistake) hasFlag(name string) bool {
	return slices.ContainsFunc(m.flags(), func(f *kong.Flag) bool { return "--"+f.Name == name })
}

// flags returns the flags of the command.
func (m *mistake) flags() []*kong.Flag {
	command := m.context.Selected()
	if command == nil {
		return nil
	}
	return slices.Concat(command.AllFlags(true)...)
}

// otherCommands names the commands that have a flag that this one lacks.
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
