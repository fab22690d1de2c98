package cli

import (
	"context"
	"reflect"
	"slices"
	"strings"

	"github.com/alecthomas/kong"

	"github.com/oras-mirror/oras-mirror/internal/console"
)

// parseAlone parses the arguments with a grammar that has only the command that they begin
// with: kong prepares every flag of every command at each start, which takes longer than all
// else before the run. ok is false if the whole grammar is needed: for help, and for mistakes,
// whose hints name other commands.
func parseAlone(ctx context.Context, s console.Streams, cpu *profile, args []string) (command *kong.Context, ok bool) {
	grammar := oneCommand(args)
	if grammar == nil || s.Name != "" && s.Name != programName || slices.ContainsFunc(args, asksHelp) {
		return nil, false
	}
	parser, err := newParser(ctx, grammar, s, cpu)
	if err != nil {
		return nil, false
	}
	command, err = parser.Parse(expandShortFlags(parser.Model.Node, args))
	if err == nil {
		err = checkRepeated(command)
	}
	if err != nil {
		_ = cpu.stop() // it starts again with the whole grammar
		*cpu = profile{}
	}
	return command, err == nil
}

// asksHelp reports whether an argument may be --help or -h, also among other letters.
func asksHelp(arg string) bool {
	return strings.HasPrefix(arg, "--h") || strings.HasPrefix(arg, "-") && !strings.HasPrefix(arg, "--") && strings.Contains(arg, "h")
}

// oneCommand returns a grammar of the command that the arguments begin with and of the flags of
// the program; nil if they begin with none, or with a hidden one, which may need the others.
func oneCommand(args []string) any {
	if len(args) == 0 {
		return nil
	}
	whole, found := reflect.TypeFor[cli](), false
	var fields []reflect.StructField
	for i := range whole.NumField() {
		field := whole.Field(i)
		_, isCommand := field.Tag.Lookup("cmd")
		_, isHidden := field.Tag.Lookup("hidden")
		named := isCommand && !isHidden && strings.EqualFold(field.Name, strings.ReplaceAll(args[0], "-", ""))
		if !isCommand || named {
			fields = append(fields, field)
		}
		found = found || named
	}
	if !found {
		return nil
	}
	return reflect.New(reflect.StructOf(fields)).Interface()
}
