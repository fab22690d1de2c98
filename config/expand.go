package config

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"time"
)

var (
	variable     = regexp.MustCompile(`\$\{[^}]*\}?`)
	variableName = regexp.MustCompile(`^\$\{[A-Za-z_][A-Za-z0-9_]*\}$`)
)

// dateVariable is built in: the day in UTC. It wins over the environment, so
// that a spec means the same everywhere.
const dateVariable = "DATE"

// expand replaces ${NAME} by the environment's value. A "$" without a brace
// stands for itself. The first name that is not set is the error.
func expand(s string, now time.Time) (string, error) {
	var missing string
	expanded := variable.ReplaceAllStringFunc(s, func(v string) string {
		name := strings.TrimSuffix(strings.TrimPrefix(v, "${"), "}")
		if name == dateVariable {
			return now.UTC().Format(time.DateOnly)
		}
		value, ok := os.LookupEnv(name)
		if !ok && missing == "" {
			missing = name
		}
		return value
	})
	if missing != "" {
		return "", &VariableError{Name: missing}
	}
	return expanded, nil
}

// VariableError says that a variable of the environment is not set.
type VariableError struct{ Name string }

func (e *VariableError) Error() string { return "environment variable " + e.Name + " is not set" }

// variableFault returns what is wrong with the ${NAME}s in s, which can be
// said before they are used.
func variableFault(s string) string {
	for _, v := range variable.FindAllString(s, -1) {
		if !variableName.MatchString(v) {
			return fmt.Sprintf("invalid variable %q: write ${NAME}", v)
		}
	}
	return ""
}
