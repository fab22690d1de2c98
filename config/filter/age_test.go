package filter

import (
	"strings"
	"testing"
	"time"
)

func TestAge(t *testing.T) {
	for text, want := range map[string]time.Duration{"72h": 72 * time.Hour, "3d": 72 * time.Hour, "1h30m": 90 * time.Minute, "36500d": 36500 * day} {
		var a Age
		if err := a.UnmarshalText([]byte(text)); err != nil || time.Duration(a) != want {
			t.Errorf("%s: got %v, %v", text, time.Duration(a), err)
		}
	}
	for text, want := range map[string]string{
		"3 days": "invalid age", "3": "invalid age", "": "invalid age", "1.5d": "invalid age", "999999d": "invalid age",
		"0h": "greater than 0", "-3h": "greater than 0", "0d": "greater than 0", "36501d": "at most 36500d",
	} {
		var a Age
		if err := a.UnmarshalText([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want %s", text, err, want)
		}
	}
}
