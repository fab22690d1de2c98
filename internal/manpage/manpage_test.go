package manpage

import (
	"os"
	"strings"
	"testing"
)

func TestExitCodesAreThoseOfTheReadme(t *testing.T) {
	text, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, code := range exitCodes {
		if row := "| " + code[0] + " | " + code[1] + " |"; !strings.Contains(string(text), row) {
			t.Errorf("README.md lacks %q", row)
		}
	}
}
