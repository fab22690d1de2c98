package bundle

import "io"

// Section returns where the content lies in the file, if it lies there as it is.
func (e *Entry) Section() (offset int64, ok bool) {
	s, ok := e.source.(*io.SectionReader)
	if !ok {
		return 0, false
	}
	_, offset, _ = s.Outer()
	return offset, true
}

// Encoder makes the bytes that a recovered entry lacks, given its content from
// Content on. They are those that it would have had. r is the archive.
func (e RecoveredEntry) Encoder(r io.ReaderAt, c Compression, emit func(p []byte) error) (*Encoder, error) {
	part, err := e.Open(r, c)
	if err != nil {
		return nil, err
	}
	defer part.Close()
	encoder := NewEncoder(c, e.Name, e.Size, emit)
	head := encoder.head[:min(e.Content, sniffLength)]
	if _, err := io.ReadFull(part, head); err != nil {
		return nil, err
	}
	encoder.written = e.Content
	encoder.frame = encoder.newFrame(head, e.Size-e.Content+padding(e.Size))
	return encoder, nil
}
