// Package manpage renders the man page of the program from its command line grammar.
package manpage

import (
	"fmt"
	"strings"

	"github.com/alecthomas/kong"
)

// exitCodes is the table of the README.
var exitCodes = [][2]string{
	{"0", "success"},
	{"1", "failure, nothing committed"},
	{"2", "invalid usage or invalid spec"},
	{"3", "some artifacts failed, the others are committed"},
	{"4", "drift: the content differs from the lock or the spec"},
	{"5", "verification failed"},
	{"130, 143", "interrupted, terminated"},
}

// description has the paragraphs of the section DESCRIPTION.
var description = []string{
	"A backup copies artifacts with their signatures and SBOMs from any number of registries into one compressed tar archive or one OCI image layout. A restore pushes them to any registry, optionally under other names.",
	"The product of a command goes to standard output: an archive, a list, JSON. Everything else goes to standard error.",
}

// environmentVariables lists the variables that change what the program does.
var environmentVariables = [][2]string{
	{"HTTP_PROXY, HTTPS_PROXY, NO_PROXY", "proxies"},
	{"DOCKER_AUTH_CONFIG", "credentials in the format of config.json; used first"},
	{"DOCKER_CONFIG, REGISTRY_AUTH_FILE", "more places of credentials"},
	{"SSL_CERT_FILE, SSL_CERT_DIR", "trusted certificate authorities"},
	{"CI", "if set, print lines instead of a progress bar; TERM=dumb does the same"},
	{"ORAS_MIRROR_NAME", "the name in help and hints: \"oras mirror\", set by the shell function of completion --oras"},
	{"TMPDIR", "directory to unpack an archive of another tool that comes through a pipe"},
}

// Render returns the man page of a program with the grammar root.
func Render(root *kong.Node, version string) string {
	m := &manPage{}
	m.write(root, version)
	return m.text.String()
}

// manPage is a text with the macros of man(7).
type manPage struct{ text strings.Builder }

func (m *manPage) write(root *kong.Node, version string) {
	m.macro("TH", "ORAS-MIRROR", "1", "", "oras-mirror "+version)
	m.section("NAME")
	m.line("oras-mirror \\- " + roff(strings.ToLower(root.Help[:1])+strings.TrimSuffix(root.Help[1:], ".")))
	m.section("SYNOPSIS")
	m.line(`.B oras\-mirror`)
	m.line(`.I command` + "\n" + `.RI [ flag " ...] [" argument " ...]"`)
	m.section("DESCRIPTION")
	for _, text := range description {
		m.line(".PP\n" + roff(text))
	}
	m.section("COMMANDS")
	for _, command := range root.Leaves(true) {
		m.command(command)
	}
	m.section("ENVIRONMENT")
	for _, variable := range environmentVariables {
		m.item(variable[0], variable[1])
	}
	m.section("EXIT STATUS")
	for _, code := range exitCodes {
		m.item(code[0], code[1])
	}
	m.section("SEE ALSO")
	m.line(roff("oras(1), skopeo(1), https://github.com/oras-mirror/oras-mirror"))
}

func (m *manPage) command(c *kong.Node) {
	m.macro("SS", strings.TrimSpace("oras-mirror "+c.Summary()))
	m.line(roff(c.Help))
	for _, argument := range c.Positional {
		m.item(strings.ToUpper(argument.Name), argument.Help)
	}
	for _, group := range c.AllFlags(true) {
		for _, flag := range group {
			m.item(flagTerm(flag), flag.Help)
		}
	}
	if c.Detail == "" {
		return
	}
	m.line(".PP\n.nf")
	for text := range strings.Lines(c.Detail) {
		m.line(roff(strings.TrimRight(text, "\n")))
	}
	m.line(".fi")
}

// flagTerm returns a flag as it is typed: -o, --output=PATH.
func flagTerm(flag *kong.Flag) string {
	term := "--" + flag.Name
	if flag.Short != 0 {
		term = "-" + string(flag.Short) + ", " + term
	}
	if flag.IsBool() {
		return term
	}
	return term + "=" + flag.FormatPlaceHolder()
}

func (m *manPage) section(name string) { m.macro("SH", name) }

func (m *manPage) item(term, text string) {
	m.line(".TP\n.B " + roff(term))
	m.line(roff(text))
}

func (m *manPage) macro(name string, arguments ...string) {
	m.text.WriteString("." + name)
	for _, a := range arguments {
		m.text.WriteString(` "` + strings.ReplaceAll(roff(a), `"`, `\(dq`) + `"`)
	}
	m.text.WriteString("\n")
}

func (m *manPage) line(text string) { fmt.Fprintln(&m.text, text) }

// roff escapes the characters that are special to roff.
func roff(text string) string {
	text = strings.NewReplacer(`\`, `\e`, "-", `\-`).Replace(text)
	if strings.HasPrefix(text, ".") || strings.HasPrefix(text, "'") {
		return `\&` + text
	}
	return text
}
