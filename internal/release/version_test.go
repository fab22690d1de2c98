package main

import (
	"fmt"
	"os/exec"
	"strings"
	"testing"

	"github.com/oras-mirror/oras-mirror/internal/skipped"
)

func TestVersionsOfPackages(t *testing.T) {
	for _, test := range []struct{ text, debian, alpine string }{
		{"v1.2.3", "1.2.3", "1.2.3"},
		{"1.2.3", "1.2.3", "1.2.3"},
		{"v1.2.3-rc.1", "1.2.3~rc.1", "1.2.3_rc1"},
		{"v1.2.3-beta", "1.2.3~beta", "1.2.3_beta"},
		{"v1.2.3-5-gabc1234", "1.2.3+5.gabc1234", "1.2.3_p5"},
		{"v1.2.3-rc.1-5-gabc1234", "1.2.3~rc.1+5.gabc1234", "1.2.3_rc1_p5"},
		{"v1.2.3-5-gabc1234-dirty", "1.2.3+5.gabc1234.dirty", "1.2.3_p5"},
		{"v1.2.3-dirty", "1.2.3+0.dirty", "1.2.3_p0"},
		{"abc1234", "0.0.0+0.gabc1234", "0.0.0_p0"},
		{"abc1234-dirty", "0.0.0+0.gabc1234.dirty", "0.0.0_p0"},
	} {
		v, err := parseVersion(test.text)
		if err != nil {
			t.Errorf("%s: %v", test.text, err)
			continue
		}
		alpine, err := v.alpine()
		if v.debian() != test.debian || alpine != test.alpine || err != nil {
			t.Errorf("%s: %s and %s (%v), want %s and %s", test.text, v.debian(), alpine, err, test.debian, test.alpine)
		}
		if isTag := !strings.Contains(test.debian, "+"); v.isTag() != isTag {
			t.Errorf("%s is a tag: %v", test.text, v.isTag())
		}
	}
	for _, text := range []string{"", "v1.2", "latest", "v1.2.3+build", "v1.2.3-", "v1.2.3 4"} {
		if v, err := parseVersion(text); err == nil {
			t.Errorf("%q is %+v", text, v)
		}
	}
	v, err := parseVersion("v1.2.3-preview.1")
	if err != nil {
		t.Fatal(err)
	}
	if text, err := v.alpine(); err == nil {
		t.Errorf("apk has %s", text)
	}
}

// TestOrderOfVersions compares versions of packages as dpkg and rpm do.
func TestOrderOfVersions(t *testing.T) {
	ascending := []string{"abc1234", "v1.2.2", "v1.2.3-beta.1", "v1.2.3-rc.1", "v1.2.3-rc.1-5-gabc1234", "v1.2.3-rc.2", "v1.2.3", "v1.2.3-dirty", "v1.2.3-5-gabc1234", "v1.2.3-12-g0bc1234", "v1.2.4"}
	var versions []string
	for _, text := range ascending {
		v, err := parseVersion(text)
		if err != nil {
			t.Fatal(err)
		}
		versions = append(versions, v.debian())
	}
	t.Run("dpkg", func(t *testing.T) {
		dpkg := skipped.Without(t, "dpkg")
		for i := 1; i < len(versions); i++ {
			if err := exec.CommandContext(t.Context(), dpkg, "--compare-versions", versions[i-1], "lt", versions[i]).Run(); err != nil {
				t.Errorf("%s is not below %s: %v", versions[i-1], versions[i], err)
			}
		}
	})
	t.Run("rpm", func(t *testing.T) {
		rpm := skipped.Without(t, "rpm")
		for i := 1; i < len(versions); i++ {
			got := output(t, rpm, "--eval", fmt.Sprintf(`%%{lua:print(rpm.vercmp("%s", "%s"))}`, versions[i-1], versions[i]))
			if strings.TrimSpace(got) != "-1" {
				t.Errorf("%s against %s: %s", versions[i-1], versions[i], got)
			}
		}
	})
}
