package option

import (
	"strings"

	"github.com/oras-mirror/oras-mirror/internal/exit"
	"github.com/oras-mirror/oras-mirror/internal/text"
)

// PartSize is the size of the parts of an archive, or the name of a medium that they fit on.
type PartSize int64

// media are the names of media, with the size of the largest file that fits on them.
var media = map[string]PartSize{
	"fat32": 4<<30 - 1, // no file is larger
	// A DVD+R has 4,700,372,992 bytes, a DVD-R more. The rest is for the file system: UDF, or
	// ISO 9660 with level 3, since the lower levels take no file over 4 GiB.
	"dvd": 4_690_000_000,
}

// UnmarshalText parses a size, or the name of a medium.
func (s *PartSize) UnmarshalText(value []byte) error {
	if size, ok := media[strings.ToLower(string(value))]; ok {
		*s = size
		return nil
	}
	var bytes text.ByteSize
	if err := bytes.UnmarshalText(value); err != nil || bytes == 0 {
		return exit.Usage("write a size such as 4GiB, fat32 (4 GiB - 1 byte) or dvd (4.69 GB)", "invalid size %q", value)
	}
	*s = PartSize(bytes)
	return nil
}
