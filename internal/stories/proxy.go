package stories

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

// proxy NAME STATUS [page] starts a proxy that answers all that it is asked with a
// status, and a web page, and sets $NAME to its host.
func (w *world) proxy(ts *testscript.TestScript, _ bool, args []string) {
	status, err := strconv.Atoi(args[1])
	ts.Check(err)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if len(args) > 2 {
			w.Header().Set("Content-Type", "text/html")
		}
		w.WriteHeader(status)
		if len(args) > 2 && req.Method != http.MethodConnect {
			fmt.Fprint(w, "<html>Welcome</html>")
		}
	}))
	ts.Defer(server.Close)
	ts.Setenv(args[0], strings.TrimPrefix(server.URL, "http://"))
}
