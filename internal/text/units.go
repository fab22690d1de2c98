package text

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// ByteSize is a number of bytes on the command line, as in 128MiB.
type ByteSize int64

var units = []struct {
	name  string
	bytes int64
}{
	{"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}, {"TiB", 1 << 40},
	{"KB", 1e3}, {"MB", 1e6}, {"GB", 1e9}, {"TB", 1e12},
	{"K", 1 << 10}, {"M", 1 << 20}, {"G", 1 << 30}, {"T", 1 << 40},
	{"B", 1}, {"", 1},
}

// UnmarshalText reads a whole or decimal number with an optional unit. K, M and
// G alone are powers of 1024.
func (s *ByteSize) UnmarshalText(text []byte) error {
	for _, unit := range units {
		number, ok := cutSuffixFold(string(text), unit.name)
		if !ok {
			continue
		}
		n, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
		bytes := n * float64(unit.bytes)
		if err != nil || !(bytes >= 0 && bytes < 1<<62) {
			break
		}
		*s = ByteSize(bytes)
		return nil
	}
	return fmt.Errorf("invalid size %q (examples: 128MiB, 1.5GiB)", text)
}

func cutSuffixFold(s, suffix string) (string, bool) {
	at := len(s) - len(suffix)
	if at < 0 || !strings.EqualFold(s[at:], suffix) {
		return s, false
	}
	return s[:at], true
}

// Bytes writes a number of bytes for people: 1.2 GiB.
func Bytes(n int64) string {
	if n < 1<<10 {
		return fmt.Sprintf("%d B", n)
	}
	value, name := float64(n), ""
	for _, unit := range units[:4] {
		if name != "" && value < 1000 {
			break
		}
		value, name = value/1024, unit.name
	}
	if value < 10 {
		return fmt.Sprintf("%.1f %s", value, name)
	}
	return fmt.Sprintf("%.0f %s", value, name)
}

// BytesOf writes a number of bytes of another, in as few letters as can be:
// 156/384 MiB.
func BytesOf(n, of int64) string {
	part, whole := Bytes(n), Bytes(of)
	number, unit, _ := strings.Cut(part, " ")
	if strings.HasSuffix(whole, " "+unit) {
		part = number
	}
	return part + "/" + whole
}

// Seconds writes how long a run took: 0.42 s, 1.5 s, 12 s, 3 min 20 s, 2 h 5 min.
func Seconds(d time.Duration) string {
	switch {
	case d < time.Second:
		return fmt.Sprintf("%.2f s", d.Seconds())
	case d < 10*time.Second:
		return fmt.Sprintf("%.1f s", d.Seconds())
	case d < time.Minute:
		return fmt.Sprintf("%.0f s", d.Seconds())
	case d < time.Hour:
		return fmt.Sprintf("%d min %d s", int(d.Minutes()), int(d.Seconds())%60)
	}
	return fmt.Sprintf("%d h %d min", int(d.Hours()), int(d.Minutes())%60)
}

// Count writes a number of things: 1 artifact, 1,200 artifacts.
func Count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return Thousands(n) + " " + noun + "s"
}

// Thousands groups digits by commas; n is not negative.
func Thousands(n int) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// PerSecond writes a rate in bytes a second behind the words before; "" for none.
func PerSecond(rate float64, before string) string {
	if rate <= 0 {
		return ""
	}
	return before + Bytes(int64(rate)) + "/s"
}

// Join puts commas between the parts that there are.
func Join(parts []string) string {
	var all []string
	for _, part := range parts {
		if part != "" {
			all = append(all, part)
		}
	}
	return strings.Join(all, ", ")
}
