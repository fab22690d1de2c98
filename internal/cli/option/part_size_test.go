package option

import "testing"

func TestPartSizes(t *testing.T) {
	for text, want := range map[string]PartSize{
		"4GiB": 4 << 30, "fat32": 4<<30 - 1, "FAT32": 4<<30 - 1, "dvd": 4_690_000_000, "700MB": 700_000_000, "1000": 1000,
		"": -1, "0": -1, "0MiB": -1, "-1GiB": -1, "cd": -1, "fat": -1,
	} {
		got := PartSize(-1)
		if err := got.UnmarshalText([]byte(text)); got != want || (err != nil) != (want < 0) {
			t.Errorf("%q is %d, %v, want %d", text, got, err, want)
		}
	}
}
