package bundle

import (
	"bufio"
	"io"
)

// memberStream reads the members of a stream.
type memberStream struct {
	content
	r      *bufio.Reader
	offset int64 // of the next member
	begun  int64 // where the entry begins that was read last
	room   *room
	table  tally // what the table must say of the entries so far
	record []byte
}

func newMemberStream(r *bufio.Reader) *memberStream {
	s := &memberStream{r: r, room: rooms.Get().(*room)}
	s.content.source = s
	return s
}

// free frees the memory. Nothing may be read after that.
func (s *memberStream) free() { rooms.Put(s.room) }

func (s *memberStream) read(p []byte) (int, error) { return s.content.Read(p) }

func (s *memberStream) next() (name string, size int64, err error) {
	if _, err := s.content.WriteTo(io.Discard); err != nil {
		return "", 0, err
	}
	data, offset, err := s.nextMember()
	if err == io.EOF {
		err = cutOff(offset, "the tar has no end")
	}
	if err != nil {
		return "", 0, err
	}
	h, err := s.content.begin(data, offset)
	if err == nil && h.end {
		err = s.end(data, offset)
	}
	if err == nil {
		err = tooMany(s.table.count, offset)
	}
	if err != nil {
		return "", 0, err
	}
	s.begun = offset
	s.record = appendRecord(s.record[:0], h.name, offset)
	s.table.add(s.record)
	return h.name, h.size, nil
}

func (s *memberStream) nextMember() ([]byte, int64, error) {
	offset := s.offset
	member, h, err := s.readMember()
	if err != nil {
		return nil, offset, err
	}
	if s.rest > 0 { // within an entry: what is not its member is not passed over
		if err := checkShare(h.inflated, s.rest, offset); err != nil {
			return nil, offset, err
		}
	}
	data, err := inflate(s.room.data, member, h, offset)
	if err == nil {
		s.offset += h.length
	}
	return data, offset, err
}

// readMember reads a raw member. It returns io.EOF if the file ends instead.
func (s *memberStream) readMember() ([]byte, memberHeader, error) {
	head, err := s.r.Peek(headerLength)
	if len(head) < headerLength {
		if len(head) > 0 {
			err = cutOr(err, s.offset+int64(len(head)))
		}
		return nil, memberHeader{}, err
	}
	h, err := parseMember(head, s.offset)
	if err != nil {
		return nil, h, err
	}
	member := s.room.member[:h.length]
	if n, err := io.ReadFull(s.r, member); err != nil {
		return nil, h, cutOr(err, s.offset+int64(n))
	}
	return member, h, nil
}

// end reads to io.EOF what follows the tar: nothing, or the table of the entries.
func (s *memberStream) end(data []byte, offset int64) error {
	if err := checkEnd(data, offset); err != nil {
		return err
	}
	begin, crc := s.offset, uint32(0)
	for last := false; ; {
		member, h, err := s.readMember()
		switch {
		case err == io.EOF && !last && s.offset > begin:
			return cutOff(s.offset, "the table is truncated")
		case err != nil:
			return err
		case last:
			return damaged(s.offset, "unexpected data after the table")
		}
		payload, err := tableMember(member, h, s.offset)
		if err != nil {
			return err
		}
		if last = len(payload) == lastPayload; !last {
			crc = updateCRC(crc, payload)
		} else if crc != s.table.crc || string(payload) != string(s.table.last(begin)) {
			return damaged(s.offset, "the table does not match the entries")
		}
		s.offset += h.length
	}
}
