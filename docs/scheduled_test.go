package docs

import (
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"github.com/oras-mirror/oras-mirror/internal/testregistry"
)

// measuredRun runs the program with --metrics, and returns the names of the metrics with the
// names of their labels.
func measuredRun(t *testing.T) map[string][]string {
	t.Helper()
	from, to := testregistry.New(t, testregistry.Options{}), testregistry.New(t, testregistry.Options{})
	from.Image("app", "v1", []byte("app"))
	path := filepath.Join(t.TempDir(), "sync.prom")
	cmd := exec.CommandContext(t.Context(), "oras-mirror", "sync", "--target", to.Host, from.Host+"/app:v1", "--metrics", path)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	parser := expfmt.NewTextParser(model.LegacyValidation)
	families, err := parser.TextToMetricFamilies(strings.NewReader(string(text)))
	if err != nil {
		t.Fatal(err)
	}
	labels := make(map[string][]string)
	for name, family := range families {
		for _, m := range family.Metric {
			for _, l := range m.Label {
				labels[name] = append(labels[name], l.GetName())
			}
		}
	}
	return labels
}

var metricName = regexp.MustCompile(`\boras_mirror_\w+`)

// TestScheduledListsTheMetrics checks the table of the page against a run.
func TestScheduledListsTheMetrics(t *testing.T) {
	page, err := os.ReadFile("docs/scheduled.md")
	if err != nil {
		t.Fatal(err)
	}
	var listed []string
	for _, row := range regexp.MustCompile("(?m)^\\| `(oras_mirror_\\w+)` \\| \\S").FindAllStringSubmatch(string(page), -1) {
		listed = append(listed, row[1])
	}
	slices.Sort(listed)
	if written := slices.Sorted(maps.Keys(measuredRun(t))); !slices.Equal(listed, written) {
		t.Errorf("the page has %v\na run writes %v", listed, written)
	}
}

// rules has the keys of a file of alerts, as in "Alerting rules" of the manual of Prometheus.
type rules struct {
	Groups []struct {
		Name  string `yaml:"name"`
		Rules []struct {
			Alert       string            `yaml:"alert"`
			Expr        string            `yaml:"expr"`
			For         string            `yaml:"for"`
			Labels      map[string]string `yaml:"labels"`
			Annotations map[string]string `yaml:"annotations"`
		} `yaml:"rules"`
	} `yaml:"groups"`
}

var labelUse = regexp.MustCompile(`\$labels\.(\w+)`)

// TestAlerts checks that the alerts use metrics and labels that a run writes.
func TestAlerts(t *testing.T) {
	var r rules
	strictly(t, readExample(t, "alerts.yaml"), &r)
	written := measuredRun(t)
	alerts := make(map[string]bool)
	for _, rule := range r.Groups[0].Rules {
		names := metricName.FindAllString(rule.Expr, -1)
		if rule.Alert == "" || alerts[rule.Alert] || len(names) == 0 || rule.For == "" || rule.Labels["severity"] == "" || rule.Annotations["summary"] == "" {
			t.Errorf("%+v", rule)
		}
		alerts[rule.Alert] = true
		for _, name := range names {
			if _, there := written[name]; !there {
				t.Errorf("%s: no run writes %s", rule.Alert, name)
			}
		}
		for _, text := range rule.Annotations {
			for _, m := range labelUse.FindAllStringSubmatch(text, -1) {
				if m[1] != "instance" && !slices.Contains(written[names[0]], m[1]) {
					t.Errorf("%s: %s has no label %s", rule.Alert, names[0], m[1])
				}
			}
			if rest := metricName.FindString(text); rest != "" && written[rest] == nil {
				t.Errorf("%s: no run writes %s", rule.Alert, rest)
			}
		}
		if strings.Count(rule.Expr, "(") != strings.Count(rule.Expr, ")") {
			t.Errorf("%s: %s", rule.Alert, rule.Expr)
		}
	}
	if len(r.Groups) != 1 || len(alerts) != 5 {
		t.Errorf("%+v", r)
	}
}
