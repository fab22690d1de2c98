package console

import (
	"cmp"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/internal/advice"
	"github.com/oras-mirror/oras-mirror/internal/exit"
	"github.com/oras-mirror/oras-mirror/internal/text"
)

// Failure is an error that Fail was given, for a document.
type Failure struct {
	Err  error
	Text string // without secrets; of a config.Fault without its place
	Hint string // "" without one
}

// document is the JSON document that a command prints when it ends.
type document struct {
	of       func(failures []Failure, exitCode int) any // nil: the command prints none
	failures []Failure
}

// SetDocument makes End print a document, however the command ends. of returns it for all
// errors of the command, and its exit code.
func (c *Console) SetDocument(of func(failures []Failure, exitCode int) any) { c.document.of = of }

// Keep adds errors to the document of the command, and prints none.
func (c *Console) Keep(errs []error) {
	for _, err := range errs {
		c.document.add(err, c.hints.Of(err), c.Secrets.Hide)
	}
}

// add keeps an error for the document.
func (d *document) add(err error, hint string, hide func(string) string) {
	if d.of == nil {
		return
	}
	fact := advice.Fact(err)
	if fault, is := err.(config.Fault); is {
		fact = fault.Message
	}
	d.failures = append(d.failures, Failure{err, hide(fact), hide(hint)})
}

// writeDocument prints the document of a command, and returns the exit code of the process.
func (c *Console) writeDocument(code int) int {
	if err := text.WriteJSON(c.Stdout, c.document.of(c.document.failures, code)); err != nil {
		c.Print(text.ErrorMark + err.Error())
		return cmp.Or(code, int(exit.Failed))
	}
	return code
}
