package config

import (
	"strings"
	"testing"
)

func TestIndentFaults(t *testing.T) {
	for _, test := range []struct{ body, want string }{
		{"sources:\n\t- a.io/b\n", "f.yaml:4:2: line 4 is indented with a tab; YAML allows only spaces"},
		{"sources:\n  - repository: a.io/b\n\ttags: {latest: 3}\n", "f.yaml:5:2: line 5 is indented with a tab"},
		{"sources:\n  - repository: a.io/b\n  \ttags: {latest: 3}\n", "f.yaml:5:4: line 5 is indented with a tab"},
		{"sources:\n  - repository: a.io/b\n    tags:\n\t  latest: 3\n", "f.yaml:6:4: line 6 is indented with a tab"},
		{"sources:\n-\ta.io/b\n", "f.yaml:4:1: line 4 has a tab after the -"},
		{"sources:\n  - repository: a.io/b\n   tags: {latest: 3}\n", "f.yaml:5:4: line 5 is indented by 3 spaces; expected 0 or 4"},
		{"sources:\n  - repository: a.io/b\n      tags: {latest: 3}\n", "line 5 is indented by 6 spaces; expected 0 or 4"},
		{"sources:\n  - repository: a.io/b\n tags: {latest: 3}\n", "line 5 is indented by 1 space; expected 0 or 4"},
		{"sources:\n  # c\n\n  - repository: a.io/b\n    # d\n   tags: {latest: 3}\n", "line 8 is indented by 3 spaces; expected 0 or 4"},
		{" sources:\n  - a.io/b\n", "line 3 is indented by 1 space; expected 0"},
		{"sources:\n  - a.io/b\n - a.io/c\n", "line 5 is indented by 1 space; expected 2"},
		{"sources:\n  - a.io/b\n- a.io/c\n", "line 5 is indented by 0 spaces; expected 2"},
		{"sources:\n  - repository: a.io/b\n    tags:\n      latest: 3\n     exclude: [x]\n", "line 7 is indented by 5 spaces; expected 0, 4 or 6"},
		{"sources:\n  - repository: a.io/b\n    tags:\n    latest: 3\n", "f.yaml:6:5: sources[0].latest: unknown key; indent it to make it part of tags"},
		{"sources:\n\u00a0\u00a0- a.io/b\n", "f.yaml:4:1: line 4 is indented with U+00A0; YAML allows only spaces"},
		{"sources:\n  - repository: a.io/b\n\u00a0\u00a0  tags: {latest: 3}\n", "unknown key; its line is indented with U+00A0, which is not a space"},
		{"sources:\r\n\t- a.io/b\r\n", "line 4 is indented with a tab"},
		{"output:x.tgz\nsources: [a.io/b]\n", "f.yaml:3:1: invalid YAML: could not find expected ':'; put a space after the colon"},
		{"sources:\n  - repository: a.io/b\n    tags: {include: [*-rc]}\n", "; quote a value that starts with * or &"},
		{"sources:\n  - repository: a.io/b\n    tags: *\n", "; quote a value that starts with * or &"},
		{"output: a: b\n", "invalid YAML: mapping values are not allowed"}, // the indentation is not the cause
		{"sources: [a.io/b\noutput: x\n", "invalid YAML: did not find expected ',' or ']'"},
		{"sources: {\n\ta: b\n", "invalid YAML: did not find expected ',' or '}'"},
		{"sources: @x\n", "invalid YAML: found character that cannot start any token"},
	} {
		_, err := Parse("f.yaml", []byte(head+test.body))
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s\ngot  %v\nwant %s", test.body, err, test.want)
		}
	}
}
