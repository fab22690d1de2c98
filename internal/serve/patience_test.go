package serve

import (
	"context"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/oras-mirror/oras-mirror/internal/serve/content"
)

// pipes is a listener whose connections are pipes, so that time can be made to pass.
type pipes chan net.Conn

func (p pipes) Accept() (net.Conn, error) {
	conn, ok := <-p
	if !ok {
		return nil, net.ErrClosed
	}
	return conn, nil
}

func (p pipes) Close() error {
	close(p)
	return nil
}

func (pipes) Addr() net.Addr { return &net.TCPAddr{} }

// TestBodyThatIsAnnouncedIsNotWaitedFor: a client that announces a body and sends nothing, or
// one byte at a time, has its answer at once, and its connection ends after ten seconds.
func TestBodyThatIsAnnouncedIsNotWaitedFor(t *testing.T) {
	w, _ := withLarge(t, "bundle.tgz")
	for _, announced := range []string{"Content-Length: 100", "Content-Length: 10000000", "Transfer-Encoding: chunked", "Content-Length: 100\r\nExpect: 100-continue"} {
		synctest.Test(t, func(t *testing.T) {
			in, err := content.Open(t.Context(), content.Options{Inputs: places(t, w.path("bundle.tgz"))})
			if err != nil {
				t.Fatal(err)
			}
			defer in.Close()
			listener := make(pipes)
			ctx, cancel := context.WithCancel(t.Context())
			ended := make(chan error, 1)
			go func() { ended <- (&Handler{Inputs: in}).Run(ctx, listener, nil) }()
			client, server := net.Pipe()
			listener <- server
			fmt.Fprintf(client, "PUT /v2/team/app/manifests/v1 HTTP/1.1\r\nHost: x\r\n%s\r\n\r\n", announced)
			go func() { // drips, so that each read gets something
				for {
					time.Sleep(time.Second)
					if _, err := client.Write([]byte("1")); err != nil {
						return
					}
				}
			}()
			began := time.Now()
			answer := make([]byte, 12)
			if _, err := io.ReadFull(client, answer); err != nil || string(answer) != "HTTP/1.1 405" || time.Since(began) > 0 {
				t.Errorf("%s: %q, %v after %s", announced, answer, err, time.Since(began))
			}
			go func() {
				time.Sleep(time.Minute)
				client.Close()
			}()
			if _, err := io.Copy(io.Discard, client); err != nil || time.Since(began) > headerPatience+time.Second {
				t.Errorf("%s: the connection ended after %s, %v", announced, time.Since(began), err)
			}
			client.Close()
			cancel()
			if err := <-ended; err != nil {
				t.Error(err)
			}
			time.Sleep(time.Minute) // until the goroutines of the test have ended
		})
	}
}

// TestClientThatTakesNothingIsDropped: after a minute, and one that sends no header after
// ten seconds.
func TestClientThatTakesNothingIsDropped(t *testing.T) {
	for _, input := range []string{"bundle.tgz", "layout/"} {
		w, path := withLarge(t, input)
		synctest.Test(t, func(t *testing.T) {
			in, err := content.Open(t.Context(), content.Options{Inputs: places(t, w.path(input))})
			if err != nil {
				t.Fatal(err)
			}
			defer in.Close()
			log := make(chan Access, 10)
			h := &Handler{Inputs: in, Log: func(a Access) { log <- a }}
			listener := make(pipes)
			ctx, cancel := context.WithCancel(t.Context())
			ended := make(chan error, 1)
			go func() { ended <- h.Run(ctx, listener, nil) }()

			silent, server := net.Pipe()
			listener <- server
			began := time.Now()
			if n, err := silent.Read(make([]byte, 1)); n > 0 || err == nil || time.Since(began) != headerPatience {
				t.Errorf("a client that sends nothing: %d bytes, %v after %s", n, err, time.Since(began))
			}

			lazy, server := net.Pipe()
			listener <- server
			fmt.Fprintf(lazy, "GET %s HTTP/1.1\r\nHost: x\r\n\r\n", path)
			time.Sleep(patience - time.Second)
			synctest.Wait()
			if len(log) > 0 {
				t.Errorf("it is dropped too early: %+v", <-log)
			}
			time.Sleep(2 * time.Second)
			synctest.Wait()
			if len(log) != 1 {
				t.Error("it is not dropped")
			} else if a := <-log; !strings.Contains(a.Error, "the client is gone") {
				t.Errorf("it is dropped for another reason: %+v", a)
			}
			cancel()
			if err := <-ended; err != nil {
				t.Error(err)
			}
		})
	}
}
