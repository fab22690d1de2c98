package object

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/oras-mirror/oras-mirror/store/bucket"
)

const (
	// MinPart is the smallest size of the parts of an object: bucket.MaxParts of them suffice for
	// 140 GiB.
	MinPart = 16 << 20
	// buffers is the number of parts in memory: the one that is filled, the one that is sent, and
	// the one that has the mark.
	buffers = 3
)

// BufferError reports that a bundle in a bucket needs larger parts than the buffer has room
// for.
type BufferError struct{ Buffer int64 } // bytes that are needed

func (e *BufferError) Error() string {
	return fmt.Sprintf("a bundle of this size in a bucket needs a buffer of %d MiB", (e.Buffer+1<<20-1)>>20)
}

// Writer writes an object, which is sent in parts and exists when it is complete. Nothing of it is
// on the disk, and a run that ends before leaves nothing. It is not safe for concurrent use.
//
// What was sent cannot be read again, so the part that has the mark stays in memory: to go back to
// the mark, that part is filled again from there on.
type Writer struct {
	// PartSize is the size of all parts but the last. It can be set before the first Write, and
	// Expect may raise it.
	PartSize int64

	client *bucket.Client
	key    string
	memory int64 // for parts; 0 means no limit

	// Some stores take only parts of one size, which depends on the size of the object: what is
	// written before that is known is held in memory.
	settled bool     // PartSize is final
	held    [][]byte // pieces of MinPart

	upload *bucket.Upload // nil after its end
	parts  []bucket.Part
	at     int64  // of the buffer in the object
	buffer []byte // the part that is filled
	spare  []byte // of a part that has arrived

	mark    int64       // where Rewind can go back to
	kept    *sentPart   // the part that has the mark, if that was sent
	flying  *sentPart   // the part under way; nil if there is none
	arrived chan error  // receives its result
	sent    bucket.Part // set before that
}

// sentPart is a part that is still in memory.
type sentPart struct {
	number int // from 1
	at     int64
	data   []byte
}

// NewWriter begins an object. memory bounds the bytes of its parts in memory; 0 means no limit.
func NewWriter(client *bucket.Client, key string, memory int64) (*Writer, error) {
	upload, err := client.NewUpload(client.Context(), key)
	if err != nil {
		return nil, err
	}
	return &Writer{PartSize: MinPart, client: client, key: key, memory: memory, upload: upload}, nil
}

// Write appends to the object.
func (w *Writer) Write(p []byte) (int, error) {
	written := len(p)
	for len(p) > 0 {
		if w.buffer == nil {
			w.buffer = w.take()
		}
		if int64(len(w.buffer)) == w.PartSize {
			if err := w.next(); err != nil {
				return written - len(p), err
			}
			continue
		}
		n := min(int64(len(p)), w.PartSize-int64(len(w.buffer)))
		w.buffer = append(w.buffer, p[:n]...)
		p = p[n:]
	}
	return written, nil
}

// take returns a buffer for a part.
func (w *Writer) take() []byte {
	buffer := w.spare
	w.spare = nil
	if int64(cap(buffer)) != w.PartSize {
		return make([]byte, 0, w.PartSize)
	}
	return buffer[:0]
}

// send starts to send the buffer, when the part before it has arrived.
func (w *Writer) send() error {
	if err := w.wait(); err != nil {
		return err
	}
	ctx := w.client.Context()
	part := &sentPart{number: len(w.parts) + 1, at: w.at, data: w.buffer}
	if w.mark >= w.at {
		w.kept = part
	}
	w.at, w.buffer = w.at+int64(len(w.buffer)), nil
	w.parts = append(w.parts, bucket.Part{})
	w.flying, w.arrived = part, make(chan error, 1)
	go func() {
		var err error
		w.sent, err = w.upload.Put(ctx, part.number, part.data)
		w.arrived <- err
	}()
	return nil
}

// wait waits for the part under way.
func (w *Writer) wait() error {
	if w.flying == nil {
		return nil
	}
	err := <-w.arrived
	if err == nil {
		w.parts[w.flying.number-1] = w.sent
	}
	if w.flying != w.kept {
		w.spare = w.flying.data
	}
	w.flying = nil
	return err
}

// Mark marks the end of what is written, to which Rewind goes back. It makes PartSize final.
func (w *Writer) Mark() error {
	if err := w.settle(w.PartSize); err != nil {
		return err
	}
	if w.kept != nil && w.kept != w.flying {
		w.spare = w.kept.data
	}
	w.mark, w.kept = w.at+int64(len(w.buffer)), nil
	return nil
}

// Rewind forgets what was written from an offset on, which is not before the mark.
func (w *Writer) Rewind(to int64) error {
	if err := w.wait(); err != nil {
		return err
	}
	if to < w.at {
		if w.kept == nil {
			return fmt.Errorf("%s: the part at byte %d was sent", w.key, to)
		}
		w.parts, w.at, w.buffer = w.parts[:w.kept.number-1], w.kept.at, w.kept.data
		w.kept = nil
	}
	w.buffer = w.buffer[:to-w.at]
	return nil
}

// Complete makes the object of the parts.
func (w *Writer) Complete() error {
	ctx := w.client.Context()
	if err := w.settle(w.PartSize); err != nil {
		return err
	}
	if len(w.buffer) > 0 {
		if err := w.send(); err != nil {
			return err
		}
	}
	last := w.flying
	if err := w.wait(); err != nil {
		return err
	}
	err := w.upload.Complete(ctx, w.parts, bucket.Condition{})
	if errors.Is(err, bucket.ErrNoUpload) && w.isThere(ctx, last) {
		return nil
	}
	return err
}

// isThere reports whether the object is the one that was sent: the response to its completion
// was lost, and the store has forgotten the upload. Its last part has the table of all blobs.
func (w *Writer) isThere(ctx context.Context, last *sentPart) bool {
	if last == nil {
		return false
	}
	r, err := w.client.Open(ctx, w.key, last.at, -1)
	if err != nil {
		return false
	}
	defer r.Close()
	data := make([]byte, len(last.data)+1)
	n, _ := io.ReadFull(r, data)
	return bytes.Equal(data[:n], last.data)
}

// Abort removes the parts, even after the end of the run.
func (w *Writer) Abort() error {
	w.forget()
	if w.upload == nil {
		return nil
	}
	_ = w.wait() // the upload ends anyway
	err := w.upload.Abort(w.client.Context())
	w.upload = nil
	return err
}
