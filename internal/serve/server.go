package serve

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"time"
)

const (
	// idlePatience is the time for which a connection may be open without a request.
	idlePatience = 2 * time.Minute
	// maxHeader bounds the header of a request.
	maxHeader = 64 << 10
	// refreshEvery is the time between two looks at the inputs. A change is noticed within ten
	// seconds.
	refreshEvery = 5 * time.Second
)

// Run answers requests until ctx is done. Then it takes no more of them, and lets those that
// are under way finish. Without certificates it speaks plain http.
func (h *Handler) Run(ctx context.Context, l net.Listener, certificates *tls.Config) error {
	server := &http.Server{Handler: h, ReadHeaderTimeout: headerPatience, IdleTimeout: idlePatience, MaxHeaderBytes: maxHeader,
		DisableGeneralOptionsHandler: true,
		ErrorLog:                     log.New(io.Discard, "", 0)} // of handshakes and clients: the access log has what matters
	refreshed := make(chan struct{})
	serving, end := context.WithCancel(ctx)
	go func() {
		defer close(refreshed)
		h.refresh(serving)
	}()
	defer func() { end(); <-refreshed }()

	ended := make(chan error, 1)
	go func() {
		if certificates != nil {
			server.TLSConfig = certificates
			ended <- server.ServeTLS(l, "", "")
			return
		}
		ended <- server.Serve(l)
	}()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	}
	err := server.Shutdown(context.WithoutCancel(ctx))
	if served := <-ended; !errors.Is(served, http.ErrServerClosed) {
		err = errors.Join(err, served)
	}
	return err
}

// refresh looks at the inputs until ctx is done.
func (h *Handler) refresh(ctx context.Context) {
	ticker := time.NewTicker(refreshEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			h.Inputs.Refresh(ctx)
		case <-ctx.Done():
			return
		}
	}
}
