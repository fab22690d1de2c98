package cli

import (
	"regexp"
	"strings"

	"github.com/alecthomas/kong"
)

// The names of the program in help and hints, and the variable that chooses the second:
// the function that "completion --oras" defines sets it.
const (
	programName  = "oras-mirror"
	orasName     = "oras mirror"
	nameVariable = "ORAS_MIRROR_NAME"
)

// calledAs returns the name that the user has called the program by.
func calledAs(environment func(string) string) string {
	if environment(nameVariable) == orasName {
		return orasName
	}
	return programName
}

// renamer returns a function that writes the command lines in a text with the name of the
// grammar; nil if they have it already.
func renamer(grammar *kong.Application) func(string) string {
	if grammar.Name == programName {
		return nil
	}
	var commands []string
	for _, command := range grammar.Children {
		if command.Name != "completion" { // which is called before there is another name
			commands = append(commands, regexp.QuoteMeta(command.Name))
		}
	}
	line := regexp.MustCompile(`(^|[^\w./-])` + programName + `(\s+(?:(?:` + strings.Join(commands, "|") + `)\b|-))`)
	return func(text string) string { return line.ReplaceAllString(text, "${1}"+grammar.Name+"${2}") }
}

// renameHelp writes the help of all commands with the name of the grammar.
func renameHelp(grammar *kong.Application) {
	rename := renamer(grammar)
	if rename == nil {
		return
	}
	for _, command := range grammar.Leaves(false) {
		command.Help, command.Detail = rename(command.Help), rename(command.Detail)
		for _, flag := range command.Flags {
			flag.Help = rename(flag.Help)
		}
	}
}
