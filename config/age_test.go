package config

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

// TestPendingUntil holds that a tag is never younger than the age when it is selected, also one
// that was first seen in the last second of a day, and that the answer changes at midnight only.
func TestPendingUntil(t *testing.T) {
	for text, want := range map[string]string{
		"72h": "2024-03-02", "3d": "2024-03-02", "1ns": "2024-02-29", "24h": "2024-02-29", "25h": "2024-03-01", "36500d": "2124-02-04",
	} {
		var a Age
		if err := a.UnmarshalText([]byte(text)); err != nil {
			t.Fatal(err)
		}
		until := PendingArtifact{FirstSeen: "2024-02-27"}.Until(a)
		if at, _ := time.Parse(time.DateOnly, until); at.Sub(time.Date(2024, 2, 27, 23, 59, 59, 0, time.UTC)) < time.Duration(a) {
			t.Errorf("%s: %s is too early", text, until)
		}
		if until != want {
			t.Errorf("%s: got %s, want %s", text, until, want)
		}
	}
	if got := Today(time.Date(2024, 2, 28, 23, 0, 0, 0, time.FixedZone("", -2*3600))); got != "2024-02-29" {
		t.Errorf("got %s, want the day in UTC", got)
	}
}
