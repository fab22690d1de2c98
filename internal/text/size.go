// Package text formats what the program prints: sizes, counts, durations, digests and
// JSON, and makes text from registries and files safe for a terminal. It has no state.
package text

import (
	"fmt"
	"strconv"
	"strings"
)

// ByteSize is a number of bytes in a flag, such as 128MiB.
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

// UnmarshalText parses a whole or decimal number with an optional unit. K, M, G and T alone
// are powers of 1024.
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

// Bytes formats a number of bytes: 1.2 GiB.
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

// BytesOf formats a part of a number of bytes, with one unit where both have the same:
// 156/384 MiB.
func BytesOf(n, of int64) string {
	part, whole := Bytes(n), Bytes(of)
	number, unit, _ := strings.Cut(part, " ")
	if strings.HasSuffix(whole, " "+unit) {
		part = number
	}
	return part + "/" + whole
}

// Rate formats a rate in bytes per second: 1.2 MiB/s. It returns "" if there is none.
func Rate(rate float64) string {
	if rate <= 0 {
		return ""
	}
	return Bytes(int64(rate)) + "/s"
}
