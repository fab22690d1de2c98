package cli

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/alecthomas/kong"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/internal/advice"
	"github.com/oras-mirror/oras-mirror/internal/exit"
	"github.com/oras-mirror/oras-mirror/internal/filetype"
)

// mistake is a command line that kong rejected.
type mistake struct {
	fact    string        // the error of kong
	nearest string        // the suggestion of kong, such as `"--output"?`; may be empty
	context *kong.Context // as far as it was parsed
}

// usageError turns an error of kong into a fact and a hint. The nearest flag or command,
// and the unexpected word, are only in the text of the error.
func usageError(err error) error {
	var usage *exit.UsageError
	var unwritten *unwrittenError
	var parse *kong.ParseError
	switch {
	case errors.As(err, &usage):
		return err
	case errors.As(err, &unwritten):
		return unwritten
	case !errors.As(err, &parse) || parse.Context == nil:
		return exit.Usage("", "%s", err)
	}
	m := mistake{context: parse.Context}
	m.fact, m.nearest, _ = strings.Cut(err.Error(), ", did you mean ")
	return exit.Usage(m.hint(), "%s", m.message())
}

// parsedUntil returns a command line as far as kong parsed it; nil if it parsed nothing.
func parsedUntil(err error) *kong.Context {
	if parse, is := errors.AsType[*kong.ParseError](err); is {
		return parse.Context
	}
	return nil
}

// message returns the fact in the words of this program.
func (m *mistake) message() string {
	if word := m.unknownCommand(); word != "" {
		return fmt.Sprintf("unknown command %q", word)
	}
	if arguments, missing := strings.CutPrefix(m.fact, "expected \"<"); missing {
		return "missing <" + strings.TrimSuffix(arguments, `"`)
	}
	flag, wrong, found := strings.Cut(m.fact, ": expected ")
	switch kind, got, _ := strings.Cut(wrong, " but got "); {
	case !found:
		return m.fact
	case got == `"EOL" (<EOL>)`:
		return flag + " needs a value"
	case kind == "duration":
		value, _, _ := strings.Cut(got, ": ")
		return fmt.Sprintf("invalid %s %s (examples: 90s, 5m)", flag, value)
	case strings.Contains(kind, "int"):
		return fmt.Sprintf("invalid %s %s: not a number", flag, got)
	}
	return m.fact
}

// hint returns the first suggestion that applies.
func (m *mistake) hint() string {
	for _, advise := range []func() string{
		m.flagOfOtherTool, m.commandOfOtherTool, m.otherCommands, m.suggestNearest, m.missingSpec, m.repeatFlag, m.suggestFlag, m.specOnly, m.secondTarget, m.dividedArguments, m.suggestValue,
	} {
		if hint := advise(); hint != "" {
			return hint
		}
	}
	return fmt.Sprintf("see %q", m.commandPath()+" --help")
}

// commandPath returns the program and the command, as far as it was parsed.
func (m *mistake) commandPath() string {
	if command := m.context.Selected(); command != nil {
		return command.FullPath()
	}
	return m.context.Model.Name
}

// unknownCommand returns the word in place of a command; "" if the command was parsed.
func (m *mistake) unknownCommand() string {
	word, found := strings.CutPrefix(m.fact, "unexpected argument ")
	if !found || m.context.Selected() != nil {
		return ""
	}
	return word
}

// suggestNearest returns the suggestion of kong, but for a flag of one letter, which is near to
// every other one.
func (m *mistake) suggestNearest() string {
	flag, _ := strings.CutPrefix(m.fact, "unknown flag ")
	if m.nearest == "" || len(flag) == len("-x") {
		return ""
	}
	return "did you mean " + m.nearest
}

// missingSpec tells how to name a spec to a command that needs one.
func (m *mistake) missingSpec() string {
	if !strings.HasPrefix(m.fact, "missing flags: ") || !strings.Contains(m.fact, "--file=") {
		return ""
	}
	if path := m.typedPath(); path != "" {
		return advice.DidYouMean("-f " + path)
	}
	if command := m.context.Selected(); command != nil && command.Name == "prune" {
		return "name the mirror spec that selects what to keep with -f; prune works only on directories, not on archives"
	}
	return `name a mirror spec with -f SPEC; "oras-mirror init" prints one to start from`
}

// repeatFlag tells how to give several archives to --input when a stray argument is one and the
// flag was given.
func (m *mistake) repeatFlag() string {
	word, found := strings.CutPrefix(m.fact, "unexpected argument ")
	if !found || !advice.IsArchive(word) && !advice.IsArchive(m.typedPath()) {
		return ""
	}
	for _, flag := range m.flags() {
		if flag.Name == "input" && flag.Set {
			return advice.RepeatFlag("--input")
		}
	}
	return ""
}

// suggestFlag suggests --input or -f when a stray argument is a path and no flag names
// one.
func (m *mistake) suggestFlag() string {
	word, found := strings.CutPrefix(m.fact, "unexpected argument ")
	if !found {
		return ""
	}
	for _, path := range []string{word, m.typedPath()} {
		if flag := m.flagFor(path); flag != "" {
			return advice.DidYouMean(flag + " " + path)
		}
	}
	return ""
}

// specOnly advises on a reference for a command that takes only a spec.
func (m *mistake) specOnly() string {
	word, found := strings.CutPrefix(m.fact, "unexpected argument ")
	command := m.context.Selected()
	if _, err := config.ParseReference(word); !found || err != nil || command == nil || len(command.Positional) > 0 || !m.hasFlag("--file") || m.hasFlag("--input") {
		return ""
	}
	return fmt.Sprintf(`%s reads a mirror spec, named with -f: "oras-mirror init -o mirror.yaml %s" writes one`, command.Name, word)
}

// secondTarget advises on a second target for a restore.
func (m *mistake) secondTarget() string {
	if command := m.context.Selected(); command == nil || command.Name != "restore" || !strings.HasPrefix(m.fact, "unexpected argument ") {
		return ""
	}
	return `name each target with --target, or list them under "targets:" in a spec`
}

// dividedArguments tells how to order arguments that flags divide: the parser takes several
// arguments only if they follow each other.
func (m *mistake) dividedArguments() string {
	command := m.context.Selected()
	if !strings.HasPrefix(m.fact, "unexpected argument ") || command == nil {
		return ""
	}
	for _, argument := range command.Positional {
		if argument.IsCumulative() {
			return "put all references next to each other, before or after the flags"
		}
	}
	return ""
}

// typedPath returns the first argument if it is a path.
func (m *mistake) typedPath() string {
	for _, p := range m.context.Path {
		if p.Positional == nil {
			continue
		}
		value := m.context.Value(p)
		for value.Kind() == reflect.Slice && value.Len() > 0 {
			value = value.Index(0)
		}
		if value.Kind() == reflect.String && filetype.LooksLikePath(value.String()) {
			return value.String()
		}
	}
	return ""
}

// flagFor returns the flag of the command that takes such a path, unless it was given.
func (m *mistake) flagFor(path string) string {
	if !filetype.LooksLikePath(path) {
		return ""
	}
	flags := []string{"--input", "-f"}
	if filetype.Guess(path) != filetype.Layout {
		flags = []string{"-f", "--input"}
	}
	for _, name := range flags {
		for _, flag := range m.flags() {
			if (name == "--"+flag.Name || name == "-f" && flag.Name == "file") && !flag.Set {
				return name
			}
		}
	}
	return ""
}

// suggestValue suggests the nearest of the few values that a flag can have.
func (m *mistake) suggestValue() string {
	for _, flag := range m.flags() {
		given, isText := m.context.FlagValue(flag).(string)
		if flag.Enum == "" || !isText || given == "" || slices.Contains(flag.EnumSlice(), given) {
			continue
		}
		if value := advice.Nearest(given, flag.EnumSlice(), 1)[0]; advice.Distance(given, value) <= 2 {
			return advice.DidYouMean(value)
		}
	}
	return ""
}
