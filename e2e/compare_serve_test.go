package e2e

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// serve lets a client fetch from a server. The seconds, the requests and the traffic are those
// that the client saw, CPU and memory are the server's.
func (s *stage) serve(c contender, one *desk) figures {
	s.t.Helper()
	host, pid := s.startServed(c)
	if c.warm {
		for _, line := range c.steps {
			one.step(line, words{host: host}, c.source)
		}
	}
	before := processorTime(pid)
	var f figures
	for _, line := range c.steps {
		f.add(one.step(line, words{host: host}, c.source))
	}
	f.CPU, f.Memory = processorTime(pid)-before, resident(pid)
	return f
}

// startServed starts the server of a contender, which ends with the test.
func (s *stage) startServed(c contender) (host string, pid int) {
	s.t.Helper()
	args := strings.Fields(c.server)
	switch args[0] {
	case "oras-mirror":
		served, cmd := s.desk.start(args[2:]...)
		return served.Host, cmd.Process.Pid
	case "registry":
		storage := s.desk.path("distribution")
		_, err := os.Stat(storage)
		r := startRegistry(s.t, registryOptions{Storage: storage})
		if err != nil { // it is empty
			s.desk.mirror("restore", "-q", "--input", "bundle.tgz", r.Host).exits(0)
		}
		return r.Host, r.pid
	}
	files := startComparisonServer(s.t, "files", fileServer{Folder: s.desk.path("layout"), Hash: len(args) > 2})
	return files.Address, files.cmd.Process.Pid
}

// fileServer is the bare server of the blobs of a layout, a process of its own.
type fileServer struct {
	Folder string
	Hash   bool // hash what is sent
}

func serveFiles() {
	var f fileServer
	must(json.Unmarshal([]byte(os.Args[1]), &f))
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(err)
	go func() { must(http.Serve(l, http.HandlerFunc(f.answer))) }()
	converse(l.Addr().String(), func(string) tally { return tally{} })
}

func (f *fileServer) answer(w http.ResponseWriter, req *http.Request) {
	_, sum, _ := strings.Cut(req.URL.Path, "sha256:")
	file, err := os.Open(filepath.Join(f.Folder, "blobs", "sha256", filepath.Base(sum)))
	must(err)
	defer file.Close()
	if !f.Hash {
		http.ServeContent(w, req, "", time.Time{}, file)
		return
	}
	info, err := file.Stat()
	must(err)
	w.Header().Set("Content-Length", fmt.Sprint(info.Size()))
	hash := sha256.New()
	_, err = io.CopyBuffer(struct{ io.Writer }{io.MultiWriter(w, hash)}, struct{ io.Reader }{file}, make([]byte, 256<<10))
	must(err)
}

// pull is the client: it fetches the known blobs of at least a MiB, and tells how long that
// took.
func (f *floor) pull() {
	sizes := f.sizes()
	var blobs []string
	for d, size := range sizes {
		if size >= 1<<20 {
			blobs = append(blobs, d)
		}
	}
	got := figures{Requests: map[string]int{"GET blob": len(blobs)}}
	began := time.Now()
	f.side(len(blobs), func(i int) {
		body := f.get(f.Repos[0], "blobs/"+blobs[i])
		n, err := io.CopyBuffer(struct{ io.Writer }{io.Discard}, struct{ io.Reader }{body}, make([]byte, 256<<10))
		must(errors.Join(err, body.Close()))
		if n != sizes[blobs[i]] {
			panic(fmt.Sprintf("%d bytes of %s", n, blobs[i]))
		}
	})
	got.Seconds = time.Since(began).Seconds()
	for _, d := range blobs {
		got.Traffic += sizes[d]
	}
	must(json.NewEncoder(os.Stdout).Encode(got))
}

// processorTime returns the seconds of CPU that a process has taken, where that can be found
// out.
func processorTime(pid int) float64 {
	stat, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid)) // absent but on Linux
	_, rest, _ := strings.Cut(string(stat), ") ")
	fields := strings.Fields(rest)
	if len(fields) < 13 {
		return 0
	}
	user, _ := strconv.Atoi(fields[11]) // numbers in hundredths of a second
	system, _ := strconv.Atoi(fields[12])
	return float64(user+system) / 100
}
