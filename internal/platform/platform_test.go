package platform

import "testing"

func TestOnePlatformHasOneSpelling(t *testing.T) {
	for _, c := range []struct{ have, want [3]string }{
		{[3]string{"Linux", "x86_64", ""}, [3]string{"linux", "amd64", ""}},
		{[3]string{"linux", "aarch64", "8"}, [3]string{"linux", "arm64", "v8"}},
		{[3]string{"linux", "arm", "V7"}, [3]string{"linux", "arm", "v7"}},
		{[3]string{"linux", "riscv64", "1"}, [3]string{"linux", "riscv64", "1"}},
	} {
		os, architecture, variant := Normalize(c.have[0], c.have[1], c.have[2])
		if got := [3]string{os, architecture, variant}; got != c.want {
			t.Errorf("%q: got %q, want %q", c.have, got, c.want)
		}
	}
}
