package config

import (
	"errors"
	"fmt"
	"os"
	"regexp"
	"strings"
	"time"

	"github.com/oras-mirror/oras-mirror/internal/strictyaml"
)

var (
	variable     = regexp.MustCompile(`\$\{[^}]*\}?`)
	variableName = regexp.MustCompile(`^\$\{[A-Za-z_][A-Za-z0-9_]*\}$`)
)

// dateVariable is the built-in variable of the day in UTC. The environment does not override
// it, so that a spec means the same everywhere.
const dateVariable = "DATE"

// expand replaces each ${NAME} by its value in the environment and leaves a "$" without a
// brace alone. Its error names the first variable that is not set.
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

// ExpandPath expands a path of the command line like one of a spec, but for its folder.
func ExpandPath(path string, now time.Time) (string, error) {
	if reason := variableFault(path); reason != "" {
		return "", errors.New(reason)
	}
	return expand(path, now)
}

// VariableError reports an environment variable that is not set.
type VariableError struct{ Name string }

func (e *VariableError) Error() string { return "environment variable " + e.Name + " is not set" }

// checkVariables reports a ${NAME} in the value of a key that is invalid whatever the
// environment.
func checkVariables(o strictyaml.Object, key, value string) {
	if reason := variableFault(value); reason != "" {
		o.Fault(key, reason)
	}
}

// variableFault returns why a ${NAME} in s is invalid whatever the environment, or "".
func variableFault(s string) string {
	for _, v := range variable.FindAllString(s, -1) {
		if !variableName.MatchString(v) {
			return fmt.Sprintf("invalid variable %q: write ${NAME}", v)
		}
	}
	return ""
}
