package engine_test

import (
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"

	"github.com/oras-mirror/oras-mirror/internal/testregistry"
)

// door is a port that is taken and refuses connections until it is opened. A
// socket that is bound and does not listen does that.
type door struct {
	t       *testing.T
	socket  int
	address string
}

func newDoor(t *testing.T) *door {
	t.Helper()
	socket, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { syscall.Close(socket) })
	if err := syscall.Bind(socket, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		t.Fatal(err)
	}
	name, err := syscall.Getsockname(socket)
	if err != nil {
		t.Fatal(err)
	}
	return &door{t: t, socket: socket, address: "127.0.0.1:" + strconv.Itoa(name.(*syscall.SockaddrInet4).Port)}
}

// open lets everybody through to a registry.
func (d *door) open(r *testregistry.Registry) {
	if err := syscall.Listen(d.socket, 64); err != nil {
		d.t.Error(err)
		return
	}
	duplicate, err := syscall.Dup(d.socket)
	if err != nil {
		d.t.Error(err)
		return
	}
	file := os.NewFile(uintptr(duplicate), "door")
	defer file.Close()
	listener, err := net.FileListener(file)
	if err != nil {
		d.t.Error(err)
		return
	}
	to, err := url.Parse(r.URL)
	if err != nil {
		d.t.Error(err)
		return
	}
	server := &http.Server{Handler: httputil.NewSingleHostReverseProxy(to)}
	go server.Serve(listener)
	d.t.Cleanup(func() { server.Close() })
}

// TestConnectionRefusedThreeTimes: a registry that comes up while the run waits
// for it is used.
func TestConnectionRefusedThreeTimes(t *testing.T) {
	r := testregistry.New(t, testregistry.Options{})
	r.Image("app", "v1", []byte("layer"))
	for _, out := range outputs {
		t.Run(out, func(t *testing.T) {
			d, c := newDoor(t), newFalseClock()
			c.woken = func(pauses int) {
				if pauses == 3 {
					d.open(r)
				}
			}
			path := filepath.Join(t.TempDir(), "x") + out
			report, err := backupWith(t, c.faced(t, 1), path, selections(t, d.address+"/app:v1"), tight)
			whole(t, report, err)
			if n := len(c.pauses()); n != 3 {
				t.Errorf("%d pauses", n)
			}
			entries(t, path)
		})
	}
}
