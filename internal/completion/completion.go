// Package completion completes command lines in bash, zsh and fish. The scripts of the shells
// call the program, so that they need not know its grammar.
package completion

import (
	"os"
	"regexp"
	"slices"
	"strings"

	"github.com/alecthomas/kong"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/store"
)

// Command is the hidden command that the scripts call.
const Command = "__complete"

// The directives to a shell that completes paths by itself.
const (
	completeFiles   = ":files"
	completeFolders = ":folders"
)

// Candidates returns the words that could complete the last of words, each with a tab and a
// description if it has one, and directives to the shell, which begin with ":".
func Candidates(root *kong.Node, words []string) []string {
	l := readLine(root, words)
	return slices.DeleteFunc(l.candidates(), func(candidate string) bool {
		return !strings.HasPrefix(candidate, l.word) && !strings.HasPrefix(candidate, ":")
	})
}

// line is a command line being typed.
type line struct {
	node       *kong.Node        // the command typed so far
	values     map[string]string // of flags, by long name
	positional int               // number of arguments typed
	flag       *kong.Flag        // the flag whose value is completed
	prefix     string            // "--flag=" before the value in the same word
	word       string            // the word to complete
	onlyValues bool              // after "--"
}

// readLine reads words; the last one is incomplete.
func readLine(root *kong.Node, words []string) *line {
	l := &line{node: root, values: make(map[string]string)}
	if len(words) == 0 {
		return l
	}
	l.word = words[len(words)-1]
	for _, word := range words[:len(words)-1] {
		l.read(word)
	}
	if name, _, ok := strings.Cut(l.word, "="); ok && l.flag == nil && !l.onlyValues {
		if flag := l.find(name); flag != nil {
			l.flag, l.prefix = flag, name+"="
		}
	}
	return l
}

func (l *line) read(word string) {
	switch {
	case l.flag != nil:
		l.values[l.flag.Name] = word
		l.flag = nil
	case l.onlyValues || word == "-" || !strings.HasPrefix(word, "-"):
		l.readArgument(word)
	case word == "--":
		l.onlyValues = true
	default:
		name, value, given := strings.Cut(word, "=")
		flag := l.find(name)
		switch {
		case flag == nil:
		case given:
			l.values[flag.Name] = value
		case !flag.IsBool():
			l.flag = flag
		}
	}
}

func (l *line) readArgument(word string) {
	for _, child := range l.node.Children {
		if child.Name == word || slices.Contains(child.Aliases, word) {
			l.node = child
			return
		}
	}
	l.positional++
}

// find returns the flag --name or -n, or nil.
func (l *line) find(name string) *kong.Flag {
	for _, flag := range l.flags() {
		if name == "--"+flag.Name || flag.Short != 0 && name == "-"+string(flag.Short) {
			return flag
		}
	}
	return nil
}

func (l *line) flags() []*kong.Flag {
	return slices.Concat(l.node.AllFlags(true)...)
}

func (l *line) candidates() []string {
	switch {
	case l.flag != nil:
		return l.valuesOf(l.flag.Value, l.flag.FormatPlaceHolder())
	case strings.HasPrefix(l.word, "-") && !l.onlyValues:
		return l.flagNames()
	}
	all := commandsOf(l.node)
	if len(all) > 0 || len(l.node.Positional) == 0 {
		return all
	}
	last := len(l.node.Positional) - 1
	if l.positional > last && !l.node.Positional[last].IsCumulative() {
		return nil
	}
	argument := l.node.Positional[min(l.positional, last)]
	return l.valuesOf(argument, strings.ToUpper(argument.Name))
}

// commandsOf lists the commands below a node.
func commandsOf(node *kong.Node) []string {
	var all []string
	for _, child := range node.Children {
		if !child.Hidden {
			all = append(all, child.Name+"\t"+child.Help)
		}
	}
	return all
}

// flagNames lists the flags, without those that are typed already and allowed only once.
func (l *line) flagNames() []string {
	var all []string
	for _, flag := range l.flags() {
		if _, there := l.values[flag.Name]; !there || flag.IsCumulative() {
			all = append(all, "--"+flag.Name+"\t"+flag.Help)
		}
	}
	return all
}

// valuesOf lists the values that a flag or an argument can have.
func (l *line) valuesOf(v *kong.Value, placeholder string) []string {
	var all []string
	switch {
	case v.Enum != "":
		all = slices.DeleteFunc(v.EnumSlice(), func(s string) bool { return s == "" })
	case v.IsBool():
		all = []string{"true", "false"}
	case v.Name == "only":
		all = referencesIn(l.values["input"])
	case l.node.Name == "help":
		return commandsOf(l.node.Parent)
	case v.Name == "target":
		all = targetsOf(l.values["file"])
	case placeholder == "DIR" || v.Tag.Type == "existingdir":
		return []string{completeFolders}
	case isPath(v, placeholder):
		return []string{completeFiles}
	}
	for i := range all {
		all[i] = l.prefix + all[i]
	}
	return all
}

// isPath reports whether a value is a path, by its placeholder or type in the grammar.
func isPath(v *kong.Value, placeholder string) bool {
	return slices.Contains([]string{"PATH", "SPEC", "FILE", "REPORT"}, placeholder) ||
		slices.Contains([]string{"path", "existingfile"}, v.Tag.Type)
}

// referencesIn lists the names in a bundle or a directory. It lists none of an archive that
// would have to be unpacked first, and asks no bucket.
func referencesIn(input string) []string {
	if input == "" || input == "-" || store.IsInBucket(input) {
		return nil
	}
	layout, err := store.OpenLayout(input, store.OpenOptions{TempDir: os.DevNull})
	if err != nil {
		return nil
	}
	defer layout.Close()
	var all []string
	for _, entry := range layout.Index().Entries {
		if isHarmless(entry.Name) {
			all = append(all, entry.Name)
		}
	}
	return all
}

// harmless matches the characters of a reference: none is special to a shell, and the first
// does not begin a flag or a directive.
var harmless = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._/:@+-]*$`)

// isHarmless reports whether a name from a file may be a candidate. A bundle or a spec may
// come from an untrusted source, and the shell runs the completed line.
func isHarmless(name string) bool { return harmless.MatchString(name) }

// targetsOf lists the names of the targets of a spec.
func targetsOf(path string) []string {
	spec, err := config.Load(path)
	if err != nil {
		return nil
	}
	var all []string
	for _, t := range spec.Targets {
		if isHarmless(t.Name) {
			all = append(all, t.Name+"\t"+t.Target)
		}
	}
	return all
}
