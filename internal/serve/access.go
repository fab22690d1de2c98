package serve

import (
	"cmp"
	"net/http"
	"time"
)

// Access is an entry of the access log.
type Access struct {
	Client   string // its address
	User     string // "" if it did not log in
	Method   string
	URI      string // the path with its query, as the client sent it
	Status   int
	Bytes    int64 // of the body
	Duration time.Duration
	Error    string // why the request failed, or what its answer lacks
}

func (r *response) access(req *http.Request, began time.Time) Access {
	a := Access{Client: req.RemoteAddr, User: r.user, Method: req.Method, URI: req.URL.RequestURI(), Status: cmp.Or(r.status, http.StatusOK),
		Bytes: r.sent, Duration: time.Since(began)}
	switch {
	case r.fault != nil:
		a.Error = cmp.Or(r.fault.detail, r.fault.message)
	case r.err != nil:
		a.Error = "the client is gone: " + r.err.Error()
	default:
		a.Error = r.omission
	}
	return a
}
