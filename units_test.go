package main

import (
	"testing"
	"time"
)

func TestByteSize(t *testing.T) {
	for text, want := range map[string]byteSize{
		"0": 0, "17": 17, "17B": 17, "128MiB": 128 << 20, "128mib": 128 << 20, "1.5GiB": 3 << 29,
		"64M": 64 << 20, "2 GB": 2e9, "1KB": 1000, "1k": 1024, "1TiB": 1 << 40,
	} {
		var got byteSize
		if err := got.UnmarshalText([]byte(text)); err != nil || got != want {
			t.Errorf("%q: got %d, %v, want %d", text, got, err, want)
		}
	}
	for _, text := range []string{"", "MiB", "-1", "-1MiB", "much", "1 XiB", "NaN", "Inf", "1e30", "1MiBx"} {
		var got byteSize
		if err := got.UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%q: got %d, want an error", text, got)
		}
	}
}

func TestTexts(t *testing.T) {
	for _, test := range []struct{ got, want string }{
		{bytesText(0), "0 B"},
		{bytesText(1023), "1023 B"},
		{bytesText(1024), "1.0 KiB"},
		{bytesText(999 << 10), "999 KiB"},
		{bytesText(1000 << 10), "1.0 MiB"},
		{bytesText(3 << 29), "1.5 GiB"},
		{bytesText(5000 << 40), "5000 TiB"},
		{secondsText(420 * time.Millisecond), "0.42 s"},
		{secondsText(1500 * time.Millisecond), "1.5 s"},
		{secondsText(12 * time.Second), "12 s"},
		{secondsText(200 * time.Second), "3 min 20 s"},
		{secondsText(125 * time.Minute), "2 h 5 min"},
		{count(1, "artifact"), "1 artifact"},
		{count(0, "artifact"), "0 artifacts"},
		{count(1234567, "artifact"), "1,234,567 artifacts"},
	} {
		if test.got != test.want {
			t.Errorf("got %q, want %q", test.got, test.want)
		}
	}
}
