package testregistry

import (
	"net/http"
	"sync"
)

// counters counts the requests to a registry. The zero value is ready to use.
type counters struct {
	mu       sync.Mutex // guards all below
	kinds    map[string]int
	urls     map[string]int
	log      []string
	inFlight int
	most     int
}

// enter counts a request as in flight and returns the function that ends that.
func (c *counters) enter() func() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.inFlight++
	c.most = max(c.most, c.inFlight)
	return func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.inFlight--
	}
}

// count counts a request and returns the number of those with the same method and URL.
func (c *counters) count(kind string, req *http.Request) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.kinds == nil {
		c.kinds, c.urls = map[string]int{}, map[string]int{}
	}
	line := req.Method + " " + req.URL.RequestURI()
	c.kinds[kind]++
	c.log = append(c.log, line)
	if req.Header.Get("Range") != "" {
		c.kinds["range"]++
	}
	if kind == "challenge" {
		return 0
	}
	c.urls[line]++
	return c.urls[line]
}
