package strictyaml

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
)

type document struct {
	Kind  string   `yaml:"kind"`
	Count int      `yaml:"count"`
	Ratio float64  `yaml:"ratio"`
	On    *bool    `yaml:"on"`
	Words []word   `yaml:"words"`
	Place address  `yaml:"place"`
	Names []string `yaml:"names"`
	Note  string   `yaml:"note,mayempty"`
	Other string   `yaml:"-"`
	Types choice   `yaml:"types"`
	Paths paths    `yaml:"paths"`
}

// word is a string, address is a string or a mapping, choice is true, false or a mapping, paths
// is a string or a list.
type (
	paths   []string
	word    struct{ text string }
	address struct {
		Host string `yaml:"host"`
		Port int    `yaml:"port"`
	}
	choice struct {
		All   *bool    `yaml:",toggle"`
		Globs []string `yaml:"globs"`
	}
)

func (w *word) UnmarshalText(text []byte) error {
	w.text = string(text)
	if w.text == "bad" {
		return errors.New("bad word")
	}
	return nil
}

func (p *paths) UnmarshalText(text []byte) error {
	*p = paths{string(text)}
	return nil
}

func (a *address) UnmarshalText(text []byte) error {
	a.Host = string(text)
	return nil
}

func (d *document) Check(o Object) {
	o.Constant("kind", d.Kind, "Test")
	o.NotEmpty("names")
	o.Exclusive("count", "ratio")
	o.Choice("note", d.Note, "", "draft", "final")
}

func (a *address) Check(o Object) {
	o.Together("host", "port")
	o.OneOf("a place", "host", "port")
}

func decoder() Decoder {
	return Decoder{Noun: "test", Start: "kind: Test", MaxValues: 100}
}

func TestDecode(t *testing.T) {
	var got document
	positions, faults := decoder().Decode([]byte(`kind: Test
count: 0x10
on: TRUE
words: [a, &b "b"]
place: {<<: {host: h, port: 1}, port: 2}
names: [*b]
note: ""
types: false
`), &got)
	yes, no := true, false
	want := document{Kind: "Test", Count: 16, On: &yes, Words: []word{{"a"}, {"b"}}, Place: address{"h", 2}, Names: []string{"b"}, Types: choice{All: &no}}
	if len(faults) > 0 || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v, want %+v", got, faults, want)
	}
	if p := positions["words[1]"]; p != (Position{4, 12}) {
		t.Errorf("words[1] is at %+v", p)
	}
}

// TestStringOrList decodes a type that is written as a string or as a list.
func TestStringOrList(t *testing.T) {
	for text, want := range map[string]paths{"a": {"a"}, "[a, b]": {"a", "b"}, "[]": {}} {
		var got document
		_, faults := decoder().Decode([]byte("kind: Test\npaths: "+text), &got)
		if len(faults) > 0 || !reflect.DeepEqual(got.Paths, want) {
			t.Errorf("%s: got %q, %v, want %q", text, got.Paths, faults, want)
		}
	}
}

func TestDecodeFaults(t *testing.T) {
	for text, want := range map[string]string{
		"":                            `1:1 : empty; a test starts with kind: Test`,
		"kind: [":                     `1:1 : invalid YAML: did not find expected node content`,
		"kind: Test\n---\nkind: Test": `2:1 : more than one document; a file holds one test`,
		"[]":                          `1:1 : expected a mapping, got a list`,
		"a: 1":                        `1:1 a: unknown key|1:1 kind: missing; must be "Test"`,
		"kind: Tset":                  `1:7 kind: expected "Test", got "Tset"`,
		"kind: Test\nkind: Test":      `2:1 kind: duplicate key; the first is on line 1`,
		"kind: 1":                     `1:7 kind: expected a string, got the number 1; put it in quotes: "1"`,
		"kind: ''":                    `1:7 kind: must not be empty`,
		"kind: Test\ncont: 1":         `2:1 cont: unknown key (count)`,
		"kind: Test\ncount: 1.5\nratio: .nan\non: yes":            `2:8 count: expected a whole number, got the number 1.5|3:8 ratio: expected a number, got the number .nan|3:8 ratio: ratio and count cannot be used together|4:5 on: expected true or false, got the string "yes"`,
		"kind: Test\nnames: a\nwords: [1, bad]":                   `2:8 names: expected a list, got the string "a" (['a'])|3:9 words[0]: expected a string, got the number 1; put it in quotes: "1"|3:12 words[1]: bad word`,
		"kind: Test\nnames: []\nnote: finl":                       `2:8 names: must not be empty; remove the key instead|3:7 note: "finl" is not one of , draft, final (final)`,
		"kind: Test\nplace: {host: h}":                            `2:15 place.host: host requires port`,
		"kind: Test\nplace: {}":                                   `2:8 place: a place requires one of host, port`,
		"kind: Test\nplace: 7":                                    `2:8 place: expected a string or a mapping, got the number 7; put it in quotes: "7"`,
		"kind: Test\npaths: 7":                                    `2:8 paths: expected a string or a list, got the number 7; put it in quotes: "7"`,
		"kind: Test\npaths: {}":                                   `2:8 paths: expected a string or a list, got a mapping`,
		"kind: Test\npaths: [a, 7]":                               `2:12 paths[1]: expected a string, got the number 7; put it in quotes: "7"`,
		"kind: Test\ntypes: all":                                  `2:8 types: expected true, false or a mapping, got the string "all"`,
		"kind: Test\nplace:\nport: 1":                             `2:7 place: expected a string or a mapping, got nothing|3:1 port: unknown key; indent it to make it part of place`,
		"kind: Test\n<<: x\n1: x":                                 `2:5 : << merges only mappings, got the string "x"|3:1 : expected a string as key, got the number 1; put it in quotes: "1"`,
		"kind: Test\nwords: &a [*a]":                              `2:8 words[0]: expected a string, got a list`,
		"kind: Test\nnames: [" + strings.Repeat("a, ", 100) + "]": `2:300 names[97]: too many values for a test`,
	} {
		_, faults := decoder().Decode([]byte(text), new(document))
		var got []string
		for _, f := range faults {
			line := fmt.Sprintf("%d:%d %s: %v", f.Position.Line, f.Position.Column, f.Path, f.Err)
			if f.Suggestion != "" {
				line += " (" + f.Suggestion + ")"
			}
			got = append(got, line)
		}
		if strings.Join(got, "|") != want {
			t.Errorf("%q\ngot  %s\nwant %s", text, strings.Join(got, "|"), want)
		}
	}
}
