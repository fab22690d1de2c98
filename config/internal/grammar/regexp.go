package grammar

import (
	"errors"
	"fmt"
	"regexp"
	"regexp/syntax"
)

// CompileAnchored compiles an expression that must match a whole text. It compiles the
// expression alone first, since "a)|(b" is valid only between parentheses.
func CompileAnchored(expr string) (*regexp.Regexp, error) {
	if _, err := regexp.Compile(expr); err != nil {
		return nil, fmt.Errorf("invalid regular expression %q: %w", expr, regexpReason(err))
	}
	anchored, err := regexp.Compile(`^(?:` + expr + `)$`)
	if err != nil {
		return nil, fmt.Errorf("invalid regular expression %q: %w", expr, regexpReason(err))
	}
	return anchored, nil
}

// regexpReason returns the reason of an error of package regexp, without the expression that
// the error repeats.
func regexpReason(err error) error {
	if invalid, ok := errors.AsType[*syntax.Error](err); ok {
		return errors.New(string(invalid.Code))
	}
	return err
}
