package serve

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"strconv"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/internal/serve/content"
	"github.com/oras-mirror/oras-mirror/store"
	"github.com/oras-mirror/oras-mirror/store/bundle"
	"github.com/oras-mirror/oras-mirror/store/oci"
)

// heldBack is the length of the end of a blob that is sent only once all of it is hashed.
const heldBack = 1 << 20

// blob sends a blob or a part of it, from the first input that has it undamaged.
func (s *session) blob() *fault {
	d, f := s.digest()
	if f != nil {
		return f
	}
	f = unknownBlob(d)
	var unreached error
	whole := s.wantsWhole()
	for _, in := range s.snapshot.Inputs {
		blob, err := in.Open(d, whole)
		if errors.Is(err, fs.ErrNotExist) {
			if in.Bases != "" { // which have the blobs that it lacks
				f.message = fmt.Sprintf("no blob %s: a delta leaves blobs to %s: serve that, too, with another --input", d, in.Bases)
			}
			continue
		}
		if err == nil {
			err = s.sendBlob(d, blob)
		}
		if err == nil {
			return nil
		}
		if s.status != 0 { // a part is sent: the client must see that it is not all
			s.fail(err)
		}
		if store.IsPassing(err) {
			unreached = err
			continue
		}
		f.message, f.detail = fmt.Sprintf("the blob %s is damaged", d), err.Error()
	}
	if unreached != nil { // its copy may be good
		return unavailable(fmt.Sprintf("the blob %s", d), unreached)
	}
	return f
}

// wantsWhole reports whether the request is sure to read a blob from its start to its end.
func (s *session) wantsWhole() bool {
	h := s.request.Header
	return s.request.Method == http.MethodGet && h.Get("Range") == "" && h.Get("If-None-Match") == ""
}

// sendBlob sends what the request asks for of a blob, which it closes. It returns errors
// of the blob, never of the client.
func (s *session) sendBlob(d digest.Digest, blob *content.Blob) error {
	defer blob.Close()
	v := blob.Verdict()
	if v == content.Wrong {
		return errWrong
	}
	part, ok := requestedRange(s.request, blob.Size(), etag(d))
	h := s.Header()
	h.Set("Docker-Content-Digest", d.String())
	h.Set("ETag", etag(d))
	h.Set("Accept-Ranges", "bytes")
	switch {
	case s.isKnown(d):
		s.WriteHeader(http.StatusNotModified)
		return nil
	case !ok:
		h.Set("Content-Range", fmt.Sprintf("bytes */%d", blob.Size()))
		s.refuse(refusal(http.StatusRequestedRangeNotSatisfiable, "SIZE_INVALID", "the blob has %d bytes", blob.Size()))
		return nil
	}
	t := transfer{session: s, digest: d, blob: blob, span: part, trusted: v == content.Right}
	return t.run()
}

// errWrong reports a blob that was found damaged by an earlier request.
var errWrong = errors.New("it does not match its digest")

// transfer sends one blob or a part of it.
type transfer struct {
	*session
	digest  digest.Digest
	blob    *content.Blob
	span    span
	trusted bool // it was hashed before
}

// run sends the part. What was never hashed is hashed on the way, or before its end is sent.
func (t *transfer) run() error {
	if t.request.Method == http.MethodHead {
		t.begin()
		t.WriteHeader(t.span.status())
		return nil
	}
	from, n := t.span.from, t.span.n
	safe := max(0, t.blob.Size()-heldBack) // what may be sent before the rest is hashed
	switch {
	case t.trusted, from+n <= safe && !t.span.whole:
		return t.write(from, n)
	case t.span.whole:
		return t.hashed(safe)
	}
	if err := t.verify(&holding{transfer: t}); err != nil || t.gone() {
		return err
	}
	return t.write(from, n)
}

// hashed sends the whole blob. The bytes behind safe are sent once all are hashed: those that
// were held back in memory, or else they are read again.
func (t *transfer) hashed(safe int64) error {
	out := &holding{transfer: t, left: safe}
	if safe > 0 {
		t.begin()
	}
	select {
	case holders <- struct{}{}:
		defer func() { <-holders }()
		out.held = bytes.NewBuffer(make([]byte, 0, t.blob.Size()-safe))
	default:
	}
	if err := t.verify(out); err != nil || t.gone() {
		return err
	}
	if safe == 0 {
		t.begin()
	}
	if out.held == nil {
		return t.read(t.body(), safe, t.blob.Size()-safe)
	}
	_, _ = t.body().Write(out.held.Bytes()) // the client's error is no error of the blob
	return nil
}

// holders bounds the ends of blobs that are held back in memory, 1 MiB each, perhaps for
// clients that take nothing. Others are read twice.
var holders = make(chan struct{}, 16)

// holding sends the bytes of a blob but for those at its end. It stops when the client is gone.
type holding struct {
	*transfer
	left int64         // to be sent
	held *bytes.Buffer // the end; nil if it is not kept
}

func (h *holding) Write(p []byte) (int, error) {
	length := len(p)
	if h.gone() {
		return 0, h.request.Context().Err()
	}
	if n := min(h.left, int64(len(p))); n > 0 {
		h.left -= n
		if _, err := h.body().Write(p[:n]); err != nil {
			return 0, err
		}
		p = p[n:]
	}
	if h.held != nil {
		h.held.Write(p)
	}
	return length, nil
}

// verify hashes the blob, and passes its bytes on. The verdict is kept.
func (t *transfer) verify(w io.Writer) error {
	hash := t.digest.Algorithm().Hash()
	err := t.read(struct{ io.Writer }{io.MultiWriter(hash, w)}, 0, t.blob.Size())
	if t.gone() {
		return nil
	}
	if got := digest.NewDigest(t.digest.Algorithm(), hash); err == nil && got != t.digest {
		err = &oci.MismatchError{Descriptor: ocispec.Descriptor{Digest: t.digest, Size: t.blob.Size()}, Size: t.blob.Size(), Digest: got}
	}
	_, mismatch := errors.AsType[*oci.MismatchError](err)
	_, damaged := errors.AsType[*bundle.FormatError](err)
	switch {
	case err == nil:
		t.blob.Judge(content.Right)
	case mismatch || damaged: // a disk that cannot be read may recover
		t.blob.Judge(content.Wrong)
	}
	return err
}

// write sends a part as it is.
func (t *transfer) write(from, n int64) error {
	t.begin()
	return t.read(t.body(), from, n)
}

// read copies a part of the blob. The client's error is no error of the blob.
func (t *transfer) read(w io.Writer, from, n int64) error {
	err := t.blob.WriteRange(w, from, n)
	if t.gone() {
		return nil
	}
	return err
}

// begin sets the headers of the part.
func (t *transfer) begin() {
	h := t.Header()
	h.Set("Content-Type", "application/octet-stream")
	h.Set("Content-Length", strconv.FormatInt(t.span.n, 10))
	if !t.span.whole {
		h.Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", t.span.from, t.span.from+t.span.n-1, t.blob.Size()))
	}
	t.expected = t.span.status()
}
