package spelling

import (
	"strings"
	"testing"
)

func TestNearest(t *testing.T) {
	keys := []string{"repository", "repositories", "list", "tags", "platforms"}
	for word, want := range map[string]string{
		"lst": "list", "Tags": "tags", "tasg": "tags", "repositorys": "repository", "platfroms": "platforms", "olatforms": "platforms",
		"": "", "x": "", "lists-of-things": "", "blatfroms": "", strings.Repeat("a", 65): "",
	} {
		if got := Nearest(word, keys); got != want {
			t.Errorf("Nearest(%q) = %q, want %q", word, got, want)
		}
	}
}

func TestDistance(t *testing.T) {
	for _, tt := range []struct {
		a, b string
		want int
	}{{"", "", 0}, {"abc", "", 3}, {"abc", "abd", 1}, {"abc", "acb", 2}, {"kitten", "sitting", 3}} {
		if got := Distance(tt.a, tt.b); got != tt.want || Distance(tt.b, tt.a) != tt.want {
			t.Errorf("%q, %q: %d, want %d", tt.a, tt.b, got, tt.want)
		}
	}
}
