package platform

import "testing"

func TestNormalize(t *testing.T) {
	for _, c := range []struct{ have, want Platform }{
		{Platform{"Linux", "x86_64", ""}, Platform{"linux", "amd64", ""}},
		{Platform{"linux", "aarch64", "8"}, Platform{"linux", "arm64", "v8"}},
		{Platform{"linux", "arm", "V7"}, Platform{"linux", "arm", "v7"}},
		{Platform{"linux", "riscv64", "1"}, Platform{"linux", "riscv64", "1"}},
	} {
		if got := c.have.normalize(); got != c.want {
			t.Errorf("%+v: got %+v, want %+v", c.have, got, c.want)
		}
	}
}

func TestParse(t *testing.T) {
	for text, want := range map[string]string{
		"Linux/X86-64": "linux/amd64", "linux/arm/7": "linux/arm/v7", "all": "all", "wasip1/wasm": "wasip1/wasm", "a_b/c.d/e-f": "a_b/c.d/e-f",
		"": "", "linux": "", "linux/": "", "/arm64": "", "linux/arm/v7/": "", "amd64/linux": "", "aarch64/linux": "", "linux/.a": "", "linux/ a": "", "linux/ä": "", "ALL": "",
	} {
		p, ok := Parse(text)
		if ok != (want != "") || ok && p.String() != want {
			t.Errorf("%q: %s, %v, want %q", text, p, ok, want)
		}
	}
}
