package cli

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/oras-mirror/oras-mirror/internal/skipped"
)

func TestManPageHasTheGrammar(t *testing.T) {
	code, page, stderr := try(t, "", "man")
	if code != 0 || stderr != "" {
		t.Fatalf("exit code %d, %s", code, stderr)
	}
	for _, want := range []string{
		".TH \"ORAS\\-MIRROR\" \"1\"", ".SS \"oras\\-mirror backup", ".B \\-o, \\-\\-output=PATH",
		"oras\\-mirror restore \\-\\-input bundle.tgz", ".B 130, 143",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	if strings.Contains(page, "complete\n") || strings.Contains(page, "\n.SS \"oras\\-mirror help") {
		t.Error("the page has what is hidden")
	}
	for line := range strings.Lines(page) {
		if strings.HasPrefix(line, ".") && !strings.ContainsAny(line[1:2], "TSBIRPnf") {
			t.Errorf("%q begins like a macro", line)
		}
	}
	groff := skipped.Without(t, "groff")
	cmd := exec.CommandContext(t.Context(), groff, "-man", "-Tascii", "-P-cbou", "-ww")
	cmd.Stdin = strings.NewReader(page)
	var warnings strings.Builder
	cmd.Stderr = &warnings
	out, err := cmd.Output()
	if err != nil || warnings.Len() > 0 || !strings.Contains(string(out), "EXIT STATUS") {
		t.Errorf("groff: %v\n%s", err, warnings.String())
	}
}
