package stories

import (
	"net/http"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/oras-mirror/oras-mirror/internal/testchart"
)

// charts NAME [login] starts a Helm repository and sets $NAME to its URL and $NAMEHOST to its
// host. login makes it ask for a password that no one has.
func (w *world) charts(ts *testscript.TestScript, _ bool, args []string) {
	r := testchart.Start(w.tb, "/charts")
	w.helm[args[0]] = r
	ts.Setenv(args[0], r.URL)
	ts.Setenv(args[0]+"HOST", r.Host)
	if len(args) > 1 {
		r.Answer(func(answer http.ResponseWriter, _ *http.Request) bool {
			answer.Header().Set("WWW-Authenticate", `Basic realm="charts"`)
			answer.WriteHeader(http.StatusUnauthorized)
			return true
		})
	}
}

// chart REPOSITORY NAME VERSION [IMAGE...] adds a chart whose annotation lists images.
func (w *world) chart(ts *testscript.TestScript, _ bool, args []string) {
	r := w.helm[args[0]]
	if r == nil {
		ts.Fatalf("no Helm repository %s", args[0])
	}
	var metadata strings.Builder
	for i, image := range args[3:] {
		if i == 0 {
			metadata.WriteString("annotations:\n  artifacthub.io/images: |\n")
		}
		metadata.WriteString("    - {name: x, image: " + image + "}\n")
	}
	r.Add(args[1], args[2], testchart.Chart(w.tb, args[1], args[2], metadata.String(), nil))
}
