package transport

import (
	"bytes"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"testing"
)

// TestFileIsSentAsItIs looks at what reaches the transport: a wrapper round a
// file would end sendfile.
func TestFileIsSentAsItIs(t *testing.T) {
	data := randomBytes(1 << 20)
	path := filepath.Join(t.TempDir(), "blob")
	noError(t, os.WriteFile(path, data, 0o600))
	for name, wrap := range map[string]func(*os.File) io.ReadCloser{
		"file":              func(f *os.File) io.ReadCloser { return f },
		"what holds a file": func(f *os.File) io.ReadCloser { return holder{f, f} },
	} {
		t.Run(name, func(t *testing.T) {
			u := &storing{}
			r, _ := repository(t, u.serve)
			snd := r.host.http.Transport.(*retrier).next.(*sender)
			spy := &bodySpy{RoundTripper: snd.own[upload]}
			snd.own[upload] = spy
			noError(t, r.PushBlob(t.Context(), describeBytes(data), func() (io.ReadCloser, error) {
				f, err := os.Open(path)
				return wrap(f), err
			}))
			equal(t, "same bytes", bytes.Equal(u.stored.Bytes(), data), true)
			if _, ok := spy.body.(*os.File); !ok {
				t.Errorf("the transport got a %T", spy.body)
			}
		})
	}
}

type holder struct {
	io.ReadCloser
	file *os.File
}

func (h holder) File() *os.File { return h.file }

type bodySpy struct {
	http.RoundTripper
	body io.ReadCloser
}

func (s *bodySpy) RoundTrip(req *http.Request) (*http.Response, error) {
	s.body = req.Body
	return s.RoundTripper.RoundTrip(req)
}
