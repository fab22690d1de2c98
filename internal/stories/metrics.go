package stories

import (
	"strings"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"github.com/rogpeppe/go-internal/testscript"
)

// checkMetrics FILE checks that a file is in the text format of Prometheus, with a help and a
// type for each metric.
func checkMetrics(ts *testscript.TestScript, _ bool, args []string) {
	parser := expfmt.NewTextParser(model.LegacyValidation)
	families, err := parser.TextToMetricFamilies(strings.NewReader(ts.ReadFile(args[0])))
	ts.Check(err)
	for name, family := range families {
		if family.GetHelp() == "" || family.GetType().String() != "GAUGE" {
			ts.Fatalf("%s: help %q, type %v", name, family.GetHelp(), family.GetType())
		}
	}
	if len(families) < 5 {
		ts.Fatalf("%s has %d metrics", args[0], len(families))
	}
}

// same BEFORE AFTER METRIC... checks that the samples of metrics in one file are in another.
func same(ts *testscript.TestScript, _ bool, args []string) {
	before, after := ts.ReadFile(args[0]), ts.ReadFile(args[1])
	for _, metric := range args[2:] {
		found := false
		for line := range strings.Lines(before) {
			if !strings.HasPrefix(line, metric+"{") {
				continue
			}
			found = true
			if line = strings.ReplaceAll(line, args[0], args[1]); !strings.Contains(after, "\n"+line) {
				ts.Fatalf("%s lacks %s", args[1], line)
			}
		}
		if !found {
			ts.Fatalf("%s has no %s", args[0], metric)
		}
	}
}
