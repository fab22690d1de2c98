package filter

import (
	"cmp"
	"fmt"
	"regexp"
	"strconv"
	"time"
)

// dateForm matches a date, the year first, with or without a time. Its parts have two digits or,
// between separators, one.
var dateForm = regexp.MustCompile(`^(\d{4})` +
	`(?:[-._]?(\d\d)(?:[-._]?(\d\d)|[-._](\d))?|[-._](\d)(?:[-._](\d\d?))?)?` + // month and day
	`(?:[-._Tt]?(\d\d)(?:[-._]?(\d\d)(?:[-._]?(\d\d))?)?)?[Zz]?$`) // hour, minute, second

// dateKey returns a date in a form that sorts as text, such as 2024-05-31 14:25:00. It takes
// what tags have of RFC 3339: 2024-05-31, 20240531, 2024.5, 20240531-142500, 2024-05-31T14-25Z.
// A part that is left out is the first: the day of 2024.5 is the first of May.
func dateKey(s string) (string, bool) {
	g := dateForm.FindStringSubmatch(s)
	if g == nil {
		return "", false
	}
	var parts [6]int
	for i, text := range []string{g[1], cmp.Or(g[2], g[5], "1"), cmp.Or(g[3], g[4], g[6], "1"), cmp.Or(g[7], "0"), cmp.Or(g[8], "0"), cmp.Or(g[9], "0")} {
		parts[i], _ = strconv.Atoi(text) // digits, by the form
	}
	at := time.Date(parts[0], time.Month(parts[1]), parts[2], parts[3], parts[4], parts[5], 0, time.UTC)
	key := fmt.Sprintf("%04d-%02d-%02d %02d:%02d:%02d", parts[0], parts[1], parts[2], parts[3], parts[4], parts[5])
	return key, key == at.Format(time.DateTime) // there is no 30 February
}
