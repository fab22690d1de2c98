package disk

import (
	"errors"
	"syscall"
)

// IsTooManyFiles reports whether an error means that the process has too many open files.
// Then nothing is wrong with the file.
func IsTooManyFiles(err error) bool {
	return errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE)
}
