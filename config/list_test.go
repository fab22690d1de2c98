package config

import (
	"errors"
	"strings"
	"testing"
	"testing/iotest"
)

func TestReadList(t *testing.T) {
	const list = "\ufeff# first\r\n" +
		"ghcr.io/a:v1\r\n" +
		"\n" +
		"  ghcr.io/b:v1,v2 \t# two\n" +
		"docker.io/c"
	got, err := ReadList("images.txt", strings.NewReader(list))
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"images.txt:2 ghcr.io/a:v1",
		"images.txt:4 ghcr.io/b:v1",
		"images.txt:4 ghcr.io/b:v2",
		"images.txt:5 docker.io/library/c",
	}
	if lines := origins(got); strings.Join(lines, "\n") != strings.Join(want, "\n") {
		t.Errorf("got %q, want %q", lines, want)
	}
	for _, s := range got {
		if !s.Referrers || s.Optional {
			t.Errorf("%s: %+v, want the defaults", s.Reference, s)
		}
	}
}

func TestReadListFaults(t *testing.T) {
	const list = "nginx\nghcr.io/a:v1\n\tghcr.io/B # x\nghcr.io/a#b\n"
	got, err := ReadList("standard input", strings.NewReader(list))
	const want = `standard input:1:1: "nginx": no registry (did you mean "docker.io/library/nginx"?)
standard input:3:2: "ghcr.io/B": repository "B" has upper case letters (did you mean "ghcr.io/b"?)
standard input:4:1: "ghcr.io/a#b": invalid repository "a#b": use lower case letters and digits, separated by / . _ __ or -`
	_, faults := errors.AsType[*LoadError](err)
	if got != nil || !faults || err.Error() != want {
		t.Errorf("got %v and\n%v\nwant\n%s", got, err, want)
	}
	if _, ok := errors.AsType[*ReferenceError](err); !ok {
		t.Error("the cause is lost")
	}
}

func TestReadListBroken(t *testing.T) {
	broken := errors.New("broken")
	if _, err := ReadList("x", iotest.ErrReader(broken)); !errors.Is(err, broken) {
		t.Errorf("got %v, want %v", err, broken)
	}
	_, err := ReadList("x", strings.NewReader("ghcr.io/a\n"+strings.Repeat("a", maxLine+1)))
	if err == nil || !strings.Contains(err.Error(), "x:2:1: line too long") {
		t.Errorf("got %v", err)
	}
}

func TestArguments(t *testing.T) {
	got, err := Arguments([]string{"ghcr.io/a:v1,v2", "ghcr.io/b"})
	want := "argument 1 ghcr.io/a:v1\nargument 1 ghcr.io/a:v2\nargument 2 ghcr.io/b"
	if err != nil || strings.Join(origins(got), "\n") != want {
		t.Errorf("got %v, %v", origins(got), err)
	}
	_, err = Arguments([]string{"a", "ghcr.io/a", "b"})
	want = `argument 1: "a": no registry (did you mean "docker.io/library/a"?)
argument 3: "b": no registry (did you mean "docker.io/library/b"?)`
	if err == nil || err.Error() != want {
		t.Errorf("got\n%v\nwant\n%s", err, want)
	}
}

func origins(selections []Selection) []string {
	lines := make([]string, len(selections))
	for i, s := range selections {
		lines[i] = s.Origin + " " + s.Reference.String()
	}
	return lines
}
