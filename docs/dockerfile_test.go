package docs

import (
	gover "go/version"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/oras-mirror/oras-mirror/internal/skipped"
	"github.com/oras-mirror/oras-mirror/internal/stories"
)

// instructions maps the instructions of Docker's "Dockerfile reference" to their minimum
// number of words.
var instructions = map[string]int{
	"ADD": 2, "ARG": 1, "CMD": 1, "COPY": 2, "ENTRYPOINT": 1, "ENV": 1, "EXPOSE": 1, "FROM": 1, "HEALTHCHECK": 1,
	"LABEL": 1, "ONBUILD": 2, "RUN": 1, "SHELL": 1, "STOPSIGNAL": 1, "USER": 1, "VOLUME": 1, "WORKDIR": 1,
}

// defaults are the values of the ARGs before the first FROM.
type defaults map[string]string

// stage is one FROM and the instructions after it.
type stage struct {
	image, name string
	lines       []string // instructions, with flags and words one blank apart
}

// dockerfile parses a Dockerfile like a builder: it drops comments, joins continued lines,
// and checks that each line is an instruction and each COPY --from names an earlier stage.
func dockerfile(t *testing.T, text string) []stage {
	t.Helper()
	given := make(defaults)
	text = regexp.MustCompile(`(?m)^\s*#.*\n`).ReplaceAllString(text, "")
	text = strings.ReplaceAll(text, "\\\n", " ")
	var stages []stage
	for line := range strings.Lines(text) {
		words := strings.Fields(line)
		if len(words) == 0 {
			continue
		}
		flags := 1
		for flags < len(words) && strings.HasPrefix(words[flags], "--") {
			if from, ok := strings.CutPrefix(words[flags], "--from="); ok && !slices.ContainsFunc(stages, func(s stage) bool { return s.name == from }) {
				t.Errorf("%s: there is no stage %s", line, from)
			}
			flags++
		}
		if least, ok := instructions[words[0]]; !ok || len(words)-flags < least {
			t.Errorf("%q is no instruction", line)
		}
		switch {
		case words[0] == "FROM":
			s := stage{image: os.Expand(words[flags], func(name string) string { return given[name] })}
			if len(words) == flags+3 && strings.EqualFold(words[flags+1], "as") {
				s.name = words[flags+2]
			}
			stages = append(stages, s)
		case len(stages) == 0 && words[0] == "ARG":
			name, value, _ := strings.Cut(words[1], "=")
			given[name] = value
		case len(stages) == 0:
			t.Errorf("%q stands before FROM", line)
		default:
			last := &stages[len(stages)-1]
			last.lines = append(last.lines, strings.Join(words, " "))
		}
	}
	return stages
}

// TestDockerfile checks the promises about the image: static, from scratch, not root.
func TestDockerfile(t *testing.T) {
	text, err := os.ReadFile("Dockerfile")
	if err != nil {
		t.Fatal(err)
	}
	stages := dockerfile(t, string(text))
	if len(stages) != 2 || stages[1].image != "scratch" {
		t.Fatalf("the image is not from scratch: %+v", stages)
	}
	for _, line := range stages[1].lines {
		if strings.HasPrefix(line, "RUN ") {
			t.Errorf("nothing can be run from scratch: %s", line)
		}
	}
	for _, want := range []string{
		"COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt",
		"COPY --from=build /oras-mirror /oras-mirror", `ENTRYPOINT ["/oras-mirror"]`, "USER 65532:65532",
	} {
		if !slices.Contains(stages[1].lines, want) {
			t.Errorf("it lacks %q", want)
		}
	}
	build := strings.Join(stages[0].lines, "\n")
	if !strings.Contains(build, "CGO_ENABLED=0") || !strings.Contains(build, "-trimpath") {
		t.Errorf("it is not built as a release is: %+v", stages[0])
	}
	if exposed := slices.IndexFunc(stages[0].lines, func(line string) bool { return strings.HasPrefix(line, "ARG ") && strings.HasSuffix(line, " VERSION") }); exposed < 0 {
		t.Error("the build is not told the version")
	}
	checkBase(t, stages[0].image)
	checkLabels(t, stages[1].lines)
	for line := range strings.Lines(string(text)) {
		comment, _ := strings.CutPrefix(strings.TrimSpace(line), "#   ")
		if comment == strings.TrimSpace(line) {
			continue
		}
		for _, args := range stories.CommandLines(comment) {
			if len(args) > 0 && args[0] != "." {
				parses(t, args)
			}
		}
	}
}

// pinned matches a base image with its version and digest.
var pinned = regexp.MustCompile(`^docker\.io/library/golang:(\d+\.\d+\.\d+)-[a-z]+@sha256:[0-9a-f]{64}$`)

// checkBase checks that the image that builds is pinned, and has a Go that go.mod accepts.
func checkBase(t *testing.T, image string) {
	t.Helper()
	module, err := os.ReadFile("go.mod")
	if err != nil {
		t.Fatal(err)
	}
	least := regexp.MustCompile(`(?m)^go (\S+)$`).FindSubmatch(module)
	got := pinned.FindStringSubmatch(image)
	if got == nil || gover.Compare("go"+got[1], "go"+string(least[1])) < 0 {
		t.Errorf("the base is %s, go.mod wants Go %s", image, least[1])
	}
}

// label is one key="value" of a LABEL.
var label = regexp.MustCompile(`(\S+)="([^"]*)"`)

// checkLabels checks the labels of the image, by the annotations of the OCI image-spec.
func checkLabels(t *testing.T, lines []string) {
	t.Helper()
	got := make(map[string]string)
	args := ""
	for _, line := range lines {
		if values, ok := strings.CutPrefix(line, "ARG "); ok {
			args += values
		}
		if labels, ok := strings.CutPrefix(line, "LABEL "); ok {
			for _, m := range label.FindAllStringSubmatch(labels, -1) {
				got[strings.TrimPrefix(m[1], "org.opencontainers.image.")] = m[2]
			}
		}
	}
	const homepage = "https://github.com/oras-mirror/oras-mirror"
	for key, want := range map[string]string{
		"title": "oras-mirror", "description": "Back up OCI artifacts of many registries and restore them to any registry",
		"version": "$VERSION", "revision": "$REVISION", "created": "$CREATED", "authors": "The oras-mirror authors", "vendor": "oras-mirror",
		"url": homepage, "source": homepage, "documentation": homepage + "/tree/main/docs", "licenses": "Apache-2.0",
	} {
		if got[key] != want {
			t.Errorf("the label %s is %q, want %q", key, got[key], want)
		}
	}
	if args != "VERSION REVISION CREATED" {
		t.Errorf("the labels have the arguments %s", args)
	}
}

// TestImageKnowsItsVersion checks that make image passes the version, and runs the build of the
// Dockerfile without docker.
func TestImageKnowsItsVersion(t *testing.T) {
	text, err := os.ReadFile("Dockerfile")
	if err != nil {
		t.Fatal(err)
	}
	makefile, err := os.ReadFile("Makefile")
	if err != nil {
		t.Fatal(err)
	}
	for _, argument := range []string{"VERSION", "REVISION", "CREATED"} {
		if !strings.Contains(string(makefile), "--build-arg "+argument+"=\"$") {
			t.Errorf("make image does not pass %s", argument)
		}
	}
	sh := skipped.Without(t, "sh")
	program := filepath.Join(t.TempDir(), "oras-mirror")
	ran := false
	for _, line := range dockerfile(t, string(text))[0].lines {
		build, ok := strings.CutPrefix(line, "RUN ")
		if !ok || !strings.Contains(build, " go build ") {
			continue
		}
		cmd := exec.CommandContext(t.Context(), sh, "-c", strings.ReplaceAll(build, " -o /oras-mirror ", " -o '"+program+"' "))
		cmd.Env = append(os.Environ(), "VERSION=v1.2.3-rc.1", "TARGETOS="+runtime.GOOS, "TARGETARCH="+runtime.GOARCH)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", build, err, out)
		}
		ran = true
	}
	out, err := exec.CommandContext(t.Context(), program, "version").Output()
	if err != nil || !ran || !strings.HasPrefix(string(out), "oras-mirror v1.2.3-rc.1 (") {
		t.Errorf("it says %s, %v", out, err)
	}
}
