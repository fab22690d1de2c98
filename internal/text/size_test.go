package text

import (
	"testing"
	"time"
)

func TestByteSize(t *testing.T) {
	for text, want := range map[string]ByteSize{
		"0": 0, "17": 17, "17B": 17, "128MiB": 128 << 20, "128mib": 128 << 20, "1.5GiB": 3 << 29,
		"64M": 64 << 20, "2 GB": 2e9, "1KB": 1000, "1k": 1024, "1TiB": 1 << 40,
	} {
		var got ByteSize
		if err := got.UnmarshalText([]byte(text)); err != nil || got != want {
			t.Errorf("%q: got %d, %v, want %d", text, got, err, want)
		}
	}
	for _, text := range []string{"", "MiB", "-1", "-1MiB", "much", "1 XiB", "NaN", "Inf", "1e30", "1MiBx"} {
		var got ByteSize
		if err := got.UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%q: got %d, want an error", text, got)
		}
	}
}

func TestTexts(t *testing.T) {
	for _, test := range []struct{ got, want string }{
		{Bytes(0), "0 B"},
		{Bytes(1023), "1023 B"},
		{Bytes(1024), "1.0 KiB"},
		{Bytes(999 << 10), "999 KiB"},
		{Bytes(1000 << 10), "1.0 MiB"},
		{Bytes(3 << 29), "1.5 GiB"},
		{Bytes(5000 << 40), "5000 TiB"},
		{Seconds(420 * time.Millisecond), "0.42 s"},
		{Seconds(1500 * time.Millisecond), "1.5 s"},
		{Seconds(12 * time.Second), "12 s"},
		{Seconds(200 * time.Second), "3 min 20 s"},
		{Seconds(125 * time.Minute), "2 h 5 min"},
		{Count(1, "artifact"), "1 artifact"},
		{Count(0, "artifact"), "0 artifacts"},
		{Count(1234567, "artifact"), "1,234,567 artifacts"},
	} {
		if test.got != test.want {
			t.Errorf("got %q, want %q", test.got, test.want)
		}
	}
}
