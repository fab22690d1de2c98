package testregistry

import (
	"net/http"
	"time"
)

// serve counts, waits, injects a fault and responds, in that order. A request is in flight
// until its response is written.
func (r *Registry) serve(w http.ResponseWriter, req *http.Request) {
	c := parse(req)
	defer r.counters.enter()()
	if c.noun != "token" && !r.allowed(req, c) {
		r.counters.count("challenge", req)
		r.challenge(w, c)
		return
	}
	n := r.counters.count(c.kind(), req)
	if !r.wait(req) {
		return
	}
	var answer http.Handler = http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		r.answer(w, req, c)
	})
	if fault := r.faults.next(req, n); fault != nil {
		answer = fault(answer)
	}
	answer.ServeHTTP(w, req)
}

// wait delays a request. It returns false if the client has gone.
func (r *Registry) wait(req *http.Request) bool {
	d := time.Duration(r.delay.Load())
	if d <= 0 {
		return true
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-req.Context().Done():
		return false
	}
}

func (r *Registry) answer(w http.ResponseWriter, req *http.Request, c call) {
	switch c.noun {
	case "base":
		w.Header().Set("Docker-Distribution-API-Version", "registry/2.0")
		w.WriteHeader(http.StatusOK)
	case "token":
		r.serveToken(w, req)
	case "catalog":
		r.serveCatalog(w, req)
	case "tags":
		r.serveTags(w, req, c.repo)
	case "referrers":
		r.serveReferrers(w, req, c)
	case "manifest":
		r.serveManifest(w, req, c)
	case "blob":
		r.serveBlob(w, req, c)
	case "upload":
		r.serveUpload(w, req, c)
	default:
		refuse(w, http.StatusNotFound, "UNSUPPORTED", "no such endpoint")
	}
}
