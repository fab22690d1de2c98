package metrics

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strings"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"google.golang.org/protobuf/proto"
)

// prefix begins the names of our metrics.
const prefix = "oras_mirror_"

// maxFile bounds the file that is read: a thousand pairs of registries have a megabyte.
const maxFile = 16 << 20

// families are metrics by name.
type families map[string]*dto.MetricFamily

// errForeign reports metrics of another program, which a run must not replace.
var errForeign = errors.New("not metrics of oras-mirror")

// parse reads metrics of this program.
func parse(r io.Reader) (families, error) {
	text, err := io.ReadAll(io.LimitReader(r, maxFile+1))
	switch {
	case err != nil:
		return nil, err
	case len(text) > maxFile:
		return nil, fmt.Errorf("larger than %d bytes", maxFile)
	case !isOurs(text):
		return nil, errForeign
	}
	parser := expfmt.NewTextParser(model.LegacyValidation)
	found, err := parser.TextToMetricFamilies(bytes.NewReader(text))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errForeign, err)
	}
	for name, family := range found {
		if !strings.HasPrefix(name, prefix) || family.GetType() != dto.MetricType_GAUGE {
			return nil, errForeign
		}
	}
	return found, nil
}

// isOurs reports whether each line is empty, a comment, or begins with the name of a metric of
// ours and a label. The parser fails on some other lines without an error.
func isOurs(text []byte) bool {
	for line := range bytes.Lines(text) {
		if line = bytes.TrimSpace(line); len(line) > 0 && !ourLine.Match(line) {
			return false
		}
	}
	return true
}

var ourLine = regexp.MustCompile(`^(#|` + prefix + `[a-z_]+\{[a-z_]+=".*\} )`)

// write writes the families and their metrics in order, so that equal runs give equal files.
func (f families) write(w io.Writer) error {
	for _, name := range slices.Sorted(maps.Keys(f)) {
		family := f[name]
		slices.SortFunc(family.Metric, func(a, b *dto.Metric) int { return strings.Compare(orderOf(a), orderOf(b)) })
		if _, err := expfmt.MetricFamilyToText(w, family); err != nil {
			return err
		}
	}
	return nil
}

// orderOf returns a text by which metrics are sorted.
func orderOf(m *dto.Metric) string {
	var values []string
	for _, l := range m.Label {
		values = append(values, l.GetName(), l.GetValue())
	}
	return strings.Join(values, "\x00")
}

// labelOf returns the value of a label; "" without it.
func labelOf(m *dto.Metric, name string) string {
	for _, l := range m.Label {
		if l.GetName() == name {
			return l.GetValue()
		}
	}
	return ""
}

// add adds a metric. Labels are pairs of a name and a value; those without a value are left
// out, which means the same.
func (f families) add(d description, value float64, labels ...string) {
	family := f[d.name]
	if family == nil {
		family = &dto.MetricFamily{Name: proto.String(d.name), Type: dto.MetricType_GAUGE.Enum()}
		f[d.name] = family
	}
	family.Help = proto.String(d.help)
	m := &dto.Metric{Gauge: &dto.Gauge{Value: proto.Float64(value)}}
	for i := 0; i < len(labels); i += 2 {
		if labels[i+1] != "" {
			m.Label = append(m.Label, &dto.LabelPair{Name: proto.String(labels[i]), Value: proto.String(labels[i+1])})
		}
	}
	family.Metric = append(family.Metric, m)
}
