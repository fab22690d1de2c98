package docs

import (
	"cmp"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/oras-mirror/oras-mirror/internal/migrate"
	"github.com/oras-mirror/oras-mirror/internal/migrate/document"
)

// TestMigratePage compares the tables of docs/migrate.md with those of the code, which
// internal/migrate.TestKeys holds to examples.
func TestMigratePage(t *testing.T) {
	page, err := os.ReadFile("docs/migrate.md")
	if err != nil {
		t.Fatal(err)
	}
	rows := strings.Count(string(page), "\n| `")
	for _, format := range migrate.Formats() {
		_, section, found := strings.Cut(string(page), "\n## "+string(format)+"\n")
		if len(migrate.Keys(format)) > 0 && !found {
			t.Errorf("docs/migrate.md has no section for %s", format)
		}
		section, _, _ = strings.Cut(section, "\n## ")
		for _, k := range migrate.Keys(format) {
			rows--
			if row := migrateRow(k); !strings.Contains(section, "\n"+row+"\n") {
				t.Errorf("the section of %s lacks\n%s", format, row)
			}
		}
	}
	if rows != 0 {
		t.Errorf("docs/migrate.md has %d rows too many", rows)
	}
}

// migrateRow returns the row of a key.
func migrateRow(k document.Key) string {
	return fmt.Sprintf("| `%s` | %s | %s |", k.Name, cmp.Or(k.Ours, "–"), cmp.Or(k.Why, "–"))
}
