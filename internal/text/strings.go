package text

import "fmt"

// Strings returns the texts of some values; nil if there are none.
func Strings[T fmt.Stringer](all []T) []string {
	var texts []string
	for _, one := range all {
		texts = append(texts, one.String())
	}
	return texts
}
