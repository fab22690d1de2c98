package bundle

import "sync"

// framer emits the tar bytes of an entry in a frame.
type framer interface {
	feed(p []byte) error
	// close ends the entry. It returns err, and then discards the entry.
	close(err error) error
}

// plain emits tar bytes unchanged.
type plain struct{ emit func([]byte) error }

func (f plain) close(err error) error { return err }

func (f plain) feed(p []byte) error {
	for len(p) > 0 {
		n := min(len(p), maxMember)
		if err := f.emit(p[:n]); err != nil {
			return err
		}
		p = p[n:]
	}
	return nil
}

// storer frames tar bytes in stored blocks. All lengths are known in advance, so the bytes
// pass through without a buffer.
type storer struct {
	emit    func([]byte) error
	rest    int64 // of the entry, from the next member on
	member  int   // bytes that the member still lacks
	block   int   // bytes that the stored block still lacks
	length  int   // what the member inflates to
	crc     uint32
	scratch [headerLength + storedHeader]byte
}

func (f *storer) feed(p []byte) error {
	for len(p) > 0 {
		if f.block == 0 {
			if err := f.begin(); err != nil {
				return err
			}
		}
		n := min(len(p), f.block)
		if err := f.emit(p[:n]); err != nil {
			return err
		}
		f.crc = updateCRC(f.crc, p[:n])
		f.block -= n
		f.member -= n
		p = p[n:]
		if f.member == 0 {
			if err := f.emit(appendTrailer(f.scratch[:0], f.crc, f.length)); err != nil {
				return err
			}
		}
	}
	return nil
}

// begin emits the header of the next block, and of a member if one begins.
func (f *storer) begin() error {
	header := f.scratch[:0]
	if f.member == 0 {
		f.length = int(min(f.rest, memberData))
		f.member, f.crc = f.length, 0
		f.rest -= int64(f.length)
		header = appendHeader(header, storedLength(f.length), f.length, nil)
	}
	f.block = min(f.member, storedBlock)
	return f.emit(appendBlockHeader(header, f.block, f.block == f.member))
}

func (f *storer) close(err error) error { return err }

// buffers hold the data of one member, and what became of it.
var buffers = sync.Pool{New: func() any {
	return &buffer{make([]byte, 0, memberData), make([]byte, 0, maxMember)}
}}

type buffer struct{ data, member []byte }

// deflater collects the data of a member and compresses it.
type deflater struct {
	emit func([]byte) error
	*buffer
}

func (f *deflater) feed(p []byte) error {
	if f.buffer == nil && len(p) > 0 {
		f.buffer = buffers.Get().(*buffer)
	}
	for len(p) > 0 {
		n := min(len(p), memberData-len(f.data))
		f.data = append(f.data, p[:n]...)
		p = p[n:]
		if len(f.data) == memberData {
			if err := f.flush(); err != nil {
				return err
			}
		}
	}
	return nil
}

func (f *deflater) flush() error {
	f.member = appendDeflated(f.member[:0], f.data)
	f.data = f.data[:0]
	return f.emit(f.member)
}

func (f *deflater) close(err error) error {
	if f.buffer == nil {
		return err
	}
	if err == nil && len(f.data) > 0 {
		err = f.flush()
	}
	f.data = f.data[:0]
	buffers.Put(f.buffer)
	f.buffer = nil
	return err
}
