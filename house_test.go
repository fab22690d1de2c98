package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/oras-mirror/oras-mirror"

// arrows lists the packages of this module that each package may import. The list is the
// architecture: a new arrow is written down here first. Tests may import anything.
var arrows = map[string][]string{
	"":                                      {"internal/cli"},
	"config":                                {"config/filter", "config/internal/grammar", "internal/discover", "internal/dockerhub", "internal/glob", "internal/platform", "internal/strictyaml"},
	"config/filter":                         {"config/internal/grammar", "internal/cosign", "internal/strictyaml"},
	"config/internal/grammar":               {},
	"config/lockfile":                       {"config", "config/filter", "config/internal/grammar", "internal/strictyaml"},
	"demo":                                  {},
	"demo/registry":                         {},
	"docs":                                  {},
	"e2e":                                   {},
	"engine":                                {"config", "config/lockfile", "engine/registry", "engine/shard", "store", "store/oci"},
	"engine/backup":                         {"config", "config/lockfile", "engine", "engine/fetch", "engine/internal/content", "engine/internal/graph", "engine/internal/headway", "engine/internal/origin", "engine/internal/pool", "engine/internal/scope", "engine/plan", "engine/registry", "engine/registry/transport", "engine/shard", "internal/bounds", "internal/compact", "store", "store/bundle", "store/delta", "store/oci", "store/parts"},
	"engine/base":                           {"config", "config/lockfile", "engine", "engine/internal/content", "engine/internal/graph", "engine/internal/origin", "engine/plan", "engine/registry", "internal/bounds", "internal/cosign", "store", "store/delta", "store/oci"},
	"engine/fetch":                          {},
	"engine/internal/content":               {"store/oci"},
	"engine/internal/graph":                 {"config", "engine", "engine/internal/content", "engine/internal/origin", "engine/internal/scope", "internal/bounds", "internal/cosign", "store", "store/oci"},
	"engine/internal/headway":               {"engine", "engine/internal/content", "engine/registry"},
	"engine/internal/origin":                {"config", "config/filter", "engine", "engine/internal/content", "engine/internal/scope", "engine/registry", "engine/registry/transport", "internal/bounds", "internal/compact", "internal/cosign", "store", "store/oci"},
	"engine/internal/pool":                  {},
	"engine/internal/scope":                 {"config", "engine", "internal/cosign", "store/oci"},
	"engine/merge":                          {"engine", "internal/bounds", "internal/compact", "internal/disk", "store", "store/delta", "store/oci", "store/verify"},
	"engine/plan":                           {"config", "config/filter", "config/lockfile", "engine", "engine/internal/content", "engine/internal/graph", "engine/internal/origin", "engine/internal/scope", "engine/registry", "engine/shard", "internal/bounds", "internal/cosign", "internal/discover/chart", "internal/helm", "store", "store/oci"},
	"engine/prune":                          {"config", "engine", "engine/internal/graph", "engine/plan", "engine/registry", "store", "store/oci"},
	"engine/registry":                       {"engine/registry/transport", "internal/bounds"},
	"engine/registry/credentials":           {"internal/dockerhub"},
	"engine/registry/internal/registrytest": {},
	"engine/registry/transport":             {"engine/registry/credentials", "internal/bounds", "internal/certpool", "internal/loopback", "internal/redact"},
	"engine/restore":                        {"config", "engine", "engine/internal/content", "engine/internal/graph", "engine/internal/headway", "engine/internal/origin", "engine/internal/pool", "engine/internal/scope", "engine/registry", "engine/registry/transport", "engine/restore/route", "engine/restore/source", "engine/shard", "internal/bounds", "store", "store/oci"},
	"engine/restore/route":                  {"config", "engine", "engine/internal/content", "engine/internal/origin", "engine/internal/scope", "engine/restore/source", "engine/shard", "internal/dockerhub", "internal/glob"},
	"engine/restore/source":                 {"config", "engine", "engine/internal/content", "engine/internal/graph", "engine/internal/headway", "engine/internal/origin", "engine/internal/scope", "engine/registry", "internal/bounds", "internal/disk", "store", "store/delta", "store/oci"},
	"engine/shard":                          {"config", "config/lockfile", "internal/bounds"},
	"engine/sync":                           {"config", "engine", "engine/internal/content", "engine/internal/graph", "engine/internal/headway", "engine/internal/origin", "engine/internal/scope", "engine/plan", "engine/registry", "engine/registry/transport", "engine/restore", "engine/restore/route", "engine/restore/source", "engine/shard", "internal/bounds", "store/oci"},
	"internal/advice":                       {"config", "config/filter", "engine", "engine/merge", "engine/registry", "engine/registry/credentials", "engine/registry/transport", "internal/bounds", "internal/discover", "internal/discover/chart", "internal/disk", "internal/exit", "internal/filetype", "internal/helm", "internal/migrate", "internal/spelling", "internal/statement", "internal/text", "internal/trust", "store", "store/bucket", "store/bundle", "store/delta", "store/object", "store/parts"},
	"internal/atomicfile":                   {"internal/disk"},
	"internal/bounds":                       {},
	"internal/certpool":                     {},
	"internal/cli":                          {"config", "config/filter", "config/lockfile", "engine", "engine/backup", "engine/base", "engine/merge", "engine/plan", "engine/prune", "engine/registry", "engine/restore", "engine/restore/source", "engine/shard", "engine/sync", "internal/advice", "internal/atomicfile", "internal/cli/option", "internal/clientconfig", "internal/completion", "internal/console", "internal/discover", "internal/disk", "internal/exit", "internal/filetype", "internal/inventory", "internal/loopback", "internal/manpage", "internal/metrics", "internal/migrate", "internal/overwrite", "internal/report", "internal/serve", "internal/serve/content", "internal/statement", "internal/text", "internal/trust", "internal/version", "schemas", "store", "store/bucket", "store/bundle", "store/delta", "store/oci", "store/parts", "store/verify"},
	"internal/cli/option":                   {"config", "engine/registry", "engine/registry/transport", "engine/shard", "internal/bounds", "internal/dockerhub", "internal/exit", "internal/overwrite", "internal/redact", "internal/text", "internal/version", "store", "store/oci"},
	"internal/clientconfig":                 {"config"},
	"internal/compact":                      {"internal/bounds"},
	"internal/completion":                   {"config", "store"},
	"internal/console":                      {"config", "config/filter", "engine", "engine/registry", "internal/advice", "internal/exit", "internal/progress", "internal/redact", "internal/report", "internal/text"},
	"internal/cosign":                       {},
	"internal/discover":                     {"internal/strictyaml"},
	"internal/discover/chart":               {"internal/strictyaml"},
	"internal/disk":                         {},
	"internal/dockerhub":                    {},
	"internal/exit":                         {"config", "engine", "engine/registry", "internal/disk", "internal/migrate", "internal/statement", "internal/text", "internal/trust", "store", "store/parts"},
	"internal/filetype":                     {"config", "config/lockfile"},
	"internal/glob":                         {},
	"internal/helm":                         {},
	"internal/inventory":                    {"config", "config/filter", "engine", "engine/plan", "internal/bounds", "internal/text", "store", "store/oci"},
	"internal/jsonlexer":                    {},
	"internal/loopback":                     {},
	"internal/manpage":                      {},
	"internal/metrics":                      {"config", "engine", "engine/shard", "internal/bounds", "internal/exit", "internal/overwrite"},
	"internal/migrate":                      {"config", "config/filter", "internal/migrate/document", "internal/migrate/draft", "internal/strictyaml"},
	"internal/migrate/document":             {"internal/strictyaml"},
	"internal/migrate/draft":                {"config", "config/filter", "internal/migrate/document"},
	"internal/overwrite":                    {"config", "internal/atomicfile", "internal/disk", "internal/exit", "internal/filetype"},
	"internal/platform":                     {},
	"internal/progress":                     {"engine", "internal/bounds", "internal/disk", "internal/text"},
	"internal/redact":                       {},
	"internal/release":                      {},
	"internal/report":                       {"config", "engine", "internal/advice", "internal/exit", "internal/filetype", "internal/overwrite", "internal/progress", "internal/text", "internal/version"},
	"internal/serve":                        {"config", "internal/compact", "internal/dockerhub", "internal/serve/content", "store", "store/bundle", "store/oci"},
	"internal/serve/content":                {"config", "internal/bounds", "internal/compact", "internal/dockerhub", "internal/text", "store", "store/delta", "store/oci", "store/verify"},
	"internal/skipped":                      {},
	"internal/spelling":                     {},
	"internal/statement":                    {"internal/bounds", "internal/compact", "internal/text", "store", "store/oci"},
	"internal/stories":                      {"internal/skipped", "internal/testbucket", "internal/testchart", "internal/testregistry", "internal/testsign", "schemas"},
	"internal/strictyaml":                   {"internal/spelling"},
	"internal/testbucket":                   {"internal/skipped"},
	"internal/testchart":                    {},
	"internal/testregistry":                 {},
	"internal/testschema":                   {"schemas"},
	"internal/testsign":                     {"internal/cosign", "internal/testregistry"},
	"internal/text":                         {},
	"internal/trust":                        {"engine", "internal/bounds", "internal/dockerhub", "internal/glob", "internal/text", "store/oci"},
	"internal/version":                      {},
	"schemas":                               {},
	"store":                                 {"internal/atomicfile", "internal/bounds", "internal/compact", "internal/disk", "store/bucket", "store/bundle", "store/delta", "store/object", "store/oci", "store/parts", "store/verify"},
	"store/bucket":                          {"internal/certpool"},
	"store/bundle":                          {},
	"store/delta":                           {"internal/bounds", "internal/compact", "store/oci"},
	"store/object":                          {"internal/bounds", "store/bucket", "store/bundle"},
	"store/oci":                             {"internal/bounds", "internal/compact", "internal/cosign", "internal/dockerhub", "internal/jsonlexer", "internal/platform"},
	"store/parts":                           {"store/bundle", "store/oci"},
	"store/verify":                          {"internal/bounds", "internal/disk", "store/delta", "store/oci"},
}

// owners lists the libraries that only the given packages may import.
var owners = map[string][]string{
	"github.com/alecthomas/kong":                    {"internal/cli", "internal/completion", "internal/manpage"},
	"github.com/schollz/progressbar/v3":             {"internal/console"},
	"github.com/rivo/uniseg":                        {"internal/console"},
	"github.com/prometheus/common/expfmt":           {"internal/metrics", "internal/stories"},
	"golang.org/x/crypto/bcrypt":                    {"internal/serve"},
	"golang.org/x/term":                             {"internal/console"},
	"github.com/minio/minio-go/v7":                  {"store/bucket"},
	"gopkg.in/yaml.v3":                              {"internal/discover", "internal/migrate", "internal/migrate/document", "internal/strictyaml", "internal/testschema"},
	"github.com/sigstore/sigstore-go/pkg/bundle":    {"internal/testsign", "internal/trust"},
	"github.com/sigstore/sigstore-go/pkg/root":      {"internal/testsign", "internal/trust"},
	"github.com/sigstore/sigstore-go/pkg/verify":    {"internal/trust"},
	"github.com/notaryproject/notation-go":          {"internal/trust"},
	"github.com/notaryproject/notation-go/verifier": {"internal/trust"},
	"net/http": {"demo/registry", "engine/internal/origin", "engine/registry", "engine/registry/internal/registrytest", "engine/registry/transport", "engine/restore", "internal/advice", "internal/cli/option", "internal/redact", "internal/serve", "internal/stories", "internal/testbucket", "internal/testchart", "internal/testregistry", "store/bucket"},
}

// streams lists the packages that may name the standard streams of the process. store takes
// standard output where a caller names none.
var streams = []string{"", "internal/cli", "internal/console", "store"}

// forTests are programs and packages that no release contains.
var forTests = []string{"demo", "demo/registry", "docs", "e2e", "engine/registry/internal/registrytest", "internal/release", "internal/skipped", "internal/stories", "internal/testbucket", "internal/testchart", "internal/testregistry", "internal/testschema", "internal/testsign"}

// goPackage is a package in the output of "go list -json".
type goPackage struct {
	ImportPath string
	Dir        string
	GoFiles    []string
	Imports    []string
}

// name is the folder of a package in the module.
func (p goPackage) name() string {
	return strings.TrimPrefix(strings.TrimPrefix(p.ImportPath, module), "/")
}

// TestArrows checks the imports of each package against the list.
func TestArrows(t *testing.T) {
	packages := listPackages(t)
	for _, p := range packages {
		allowed, listed := arrows[p.name()]
		if !listed {
			t.Errorf("the list of arrows does not have %q", p.name())
		}
		used := make(map[string]bool)
		for _, path := range p.Imports {
			if to, ours := strings.CutPrefix(path, module+"/"); ours {
				used[to] = true
				if !slices.Contains(allowed, to) {
					t.Errorf("%q must not import %s", p.name(), to)
				}
			}
			if by, owned := owners[path]; owned && !slices.Contains(by, p.name()) {
				t.Errorf("%q must not import %s", p.name(), path)
			}
		}
		for _, to := range allowed {
			if !used[to] {
				t.Errorf("%q does not import %s: take the arrow off the list", p.name(), to)
			}
		}
		if !slices.Contains(streams, p.name()) && !slices.Contains(forTests, p.name()) {
			checkNoStreams(t, p)
		}
	}
	for name := range arrows {
		if !slices.ContainsFunc(packages, func(p goPackage) bool { return p.name() == name }) {
			t.Errorf("there is no package %q", name)
		}
	}
}

// TestRootHasOneFile checks that main.go is the only Go file in the root that is not a test.
func TestRootHasOneFile(t *testing.T) {
	all, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	all = slices.DeleteFunc(all, func(name string) bool { return strings.HasSuffix(name, "_test.go") })
	if !slices.Equal(all, []string{"main.go"}) {
		t.Errorf("the root has %v", all)
	}
	text, err := os.ReadFile("main.go")
	if err != nil {
		t.Fatal(err)
	}
	if lines := bytes.Count(text, []byte("\n")); lines > 25 {
		t.Errorf("main.go has %d lines", lines)
	}
}

// listPackages returns the packages of this module.
func listPackages(t *testing.T) []goPackage {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", "list", "-json=ImportPath,Dir,GoFiles,Imports", "./...")
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var packages []goPackage
	decoder := json.NewDecoder(bytes.NewReader(out))
	for {
		var p goPackage
		err := decoder.Decode(&p)
		if errors.Is(err, io.EOF) {
			return packages
		}
		if err != nil {
			t.Fatal(err)
		}
		packages = append(packages, p)
	}
}

// checkNoStreams fails if a package uses the standard streams.
func checkNoStreams(t *testing.T, p goPackage) {
	t.Helper()
	for _, name := range p.GoFiles {
		source, err := os.ReadFile(filepath.Join(p.Dir, name))
		if err != nil {
			t.Fatal(err)
		}
		for _, word := range []string{"os.Stdin", "os.Stdout", "os.Stderr", "fmt.Print(", "fmt.Printf(", "fmt.Println("} {
			if bytes.Contains(source, []byte(word)) {
				t.Errorf("%s/%s has %s", p.ImportPath, name, word)
			}
		}
	}
}

// architecture returns the text of docs/architecture.md.
func architecture(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("docs/architecture.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// goList returns the sorted output of "go list".
func goList(t *testing.T, args ...string) []string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", append([]string{"list"}, args...)...).Output()
	if err != nil {
		t.Fatal(err)
	}
	return slices.Compact(slices.Sorted(slices.Values(strings.Fields(string(out)))))
}

var (
	required = regexp.MustCompile(`(?m)^\t(\S+) v\S+$`) // without "// indirect"
	reason   = regexp.MustCompile("(?m)^\\| `([^`]+/[^`]+)` \\| (\\S.*) \\|$")
)

// TestEveryLibraryHasItsReason checks that docs/architecture.md has a reason for each library
// in go.mod, and that a library "for tests" is in no program.
func TestEveryLibraryHasItsReason(t *testing.T) {
	reasons := make(map[string]string)
	for _, row := range reason.FindAllStringSubmatch(architecture(t), -1) {
		reasons[row[1]] = row[2]
	}
	module, err := os.ReadFile("go.mod")
	if err != nil {
		t.Fatal(err)
	}
	inPrograms := goList(t, "-deps", "-f", "{{with .Module}}{{.Path}}{{end}}", ".", "./internal/release")
	for _, m := range required.FindAllStringSubmatch(string(module), -1) {
		why, ok := reasons[m[1]]
		delete(reasons, m[1])
		if !ok {
			t.Errorf("docs/architecture.md does not say why there is %s", m[1])
		}
		if forTests := strings.HasPrefix(why, "tests: "); forTests == slices.Contains(inPrograms, m[1]) {
			t.Errorf("%s is there for %q; it is in these programs: %v", m[1], why, !forTests)
		}
	}
	for path := range reasons {
		t.Errorf("docs/architecture.md names %s, go.mod does not", path)
	}
}

// TestTheHouse checks the tree in docs/architecture.md against the folders.
func TestTheHouse(t *testing.T) {
	_, plan, _ := strings.Cut(architecture(t), "```\n")
	plan, _, _ = strings.Cut(plan, "```\n")
	var rooms []string
	for line := range strings.Lines(plan) {
		room := strings.Fields(line)[0]
		if _, err := os.Stat(room); err != nil {
			t.Error(err)
		}
		rooms = append(rooms, strings.TrimSuffix(room, "/"))
	}
	for _, path := range goList(t, "./...") {
		folder := strings.TrimPrefix(strings.TrimPrefix(path, module), "/")
		if folder != "" && !slices.Contains(rooms, folder) {
			t.Errorf("docs/architecture.md has no room for %s", folder)
		}
	}
}

var fileName = regexp.MustCompile("`([a-z_/]+\\.(?:go|md|yaml|json|sh))`")

// TestDocsNameFilesThatAreThere checks that the files named in the docs exist.
func TestDocsNameFilesThatAreThere(t *testing.T) {
	named := 0
	for _, m := range fileName.FindAllStringSubmatch(architecture(t), -1) {
		named++
		if _, err := os.Stat(m[1]); err != nil {
			t.Error(err)
		}
	}
	if named < 10 {
		t.Errorf("only %d files are named", named)
	}
}
