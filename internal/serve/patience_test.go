package serve

import (
	"context"
	"fmt"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"
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

// TestClientThatTakesNothingIsDropped: after a minute, and one that sends no header after
// ten seconds.
func TestClientThatTakesNothingIsDropped(t *testing.T) {
	for _, input := range []string{"bundle.tgz", "layout/"} {
		w, path := withLarge(t, input)
		synctest.Test(t, func(t *testing.T) {
			r, err := New(t.Context(), Options{Inputs: []string{w.path(input)}})
			if err != nil {
				t.Fatal(err)
			}
			defer r.Close()
			log := make(chan Access, 10)
			h := &Handler{Registry: r, Log: func(a Access) { log <- a }}
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
