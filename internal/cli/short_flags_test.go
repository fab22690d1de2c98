package cli

import (
	"slices"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
)

func grammarOf(t *testing.T) *kong.Kong {
	t.Helper()
	parser, err := Grammar()
	if err != nil {
		t.Fatal(err)
	}
	return parser
}

func TestShortFlagsTakeAnEqualsSign(t *testing.T) {
	root := grammarOf(t).Model.Node
	for _, test := range []struct{ args, want string }{
		{"backup -o=d/ a.io/b", "backup --output=d/ a.io/b"},
		{"backup -o==d a.io/b", "backup --output==d a.io/b"},
		{"backup -u=x -p=y -f=s.yaml -H=A:b", "backup --username=x --password=y --file=s.yaml --header=A:b"},
		{"backup -qo=- a.io/b", "backup -q --output=- a.io/b"},
		{"backup -q=false -d=true", "backup --quiet=false --debug=true"},
		{"backup -o= a.io/b", "backup --output= a.io/b"},
		{"backup -oq=x.tgz a.io/b", "backup -oq=x.tgz a.io/b"}, // q=x.tgz is the path
		{"backup -o d=e -", "backup -o d=e -"},
		{"backup -x=y -", "backup -x=y -"},
		{"backup --output=x -=y", "backup --output=x -=y"},
		{"backup -- -o=x", "backup -- -o=x"},
		{"backup --help=false -h=false", "backup"},
		{"__complete backup -o=d", "__complete backup -o=d"},
	} {
		if got := strings.Join(expandShortFlags(root, strings.Fields(test.args)), " "); got != test.want {
			t.Errorf("%s: got %s, want %s", test.args, got, test.want)
		}
	}
}

// TestAShortFlagMeansOneFlag checks that a letter means the same flag in every command, so
// that it can be expanded before the command is known.
func TestAShortFlagMeansOneFlag(t *testing.T) {
	root := grammarOf(t).Model.Node
	names := make(map[rune]string)
	for _, node := range append(root.Leaves(false), root) {
		for _, flag := range slices.Concat(node.AllFlags(false)...) {
			if flag.Short == 0 {
				continue
			}
			if other, met := names[flag.Short]; met && other != flag.Name {
				t.Errorf("-%c is --%s and --%s", flag.Short, other, flag.Name)
			}
			names[flag.Short] = flag.Name
		}
	}
}

func TestReferrerFlagsWithFalseSayTheOpposite(t *testing.T) {
	for _, test := range []struct {
		args     string
		included string
	}{
		{"", "by the spec"},
		{"--include-referrers", "yes"},
		{"--include-referrers=true", "yes"},
		{"--include-referrers=false", "no"},
		{"--exclude-referrers", "no"},
		{"--exclude-referrers=false", "yes"},
	} {
		for _, command := range []string{"backup a.io/b", "restore --input x a.io", "plan a.io/b"} {
			parser := grammarOf(t)
			if _, err := parser.Parse(strings.Fields(command + " " + test.args)); err != nil {
				t.Fatal(err)
			}
			c := parser.Model.Target.Addr().Interface().(*cli)
			got := map[string]*bool{"backup": c.Backup.Included(), "restore": c.Restore.Included(), "plan": c.Plan.Included()}[strings.Fields(command)[0]]
			said := "by the spec"
			if got != nil {
				said = map[bool]string{true: "yes", false: "no"}[*got]
			}
			if said != test.included {
				t.Errorf("%s %s: referrers included: %s, want %s", command, test.args, said, test.included)
			}
		}
	}
}
