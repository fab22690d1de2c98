package filter

import (
	"fmt"
	"regexp"
	"strconv"
	"time"
)

// Age is the time that a tag has to be known before it is selected. It is written as a duration
// of Go or in days: 72h, 90m, 3d.
type Age time.Duration

const (
	day = 24 * time.Hour

	// maxAge bounds an age to a hundred years: longer ones overflow once they are added to a day.
	maxAge = 36500 * day
)

var daysForm = regexp.MustCompile(`^([0-9]{1,5})d$`)

// UnmarshalText parses an age.
func (a *Age) UnmarshalText(text []byte) error {
	s := string(text)
	d, err := time.ParseDuration(s)
	if g := daysForm.FindStringSubmatch(s); g != nil {
		n, _ := strconv.Atoi(g[1]) // digits, by the form
		d, err = time.Duration(n)*day, nil
	}
	switch {
	case err != nil:
		return fmt.Errorf("invalid age %q (examples: 72h, 3d)", s)
	case d <= 0:
		return fmt.Errorf("must be greater than 0, got %s", s)
	case d > maxAge:
		return fmt.Errorf("must be at most 36500d, got %s", s)
	}
	*a = Age(d)
	return nil
}
