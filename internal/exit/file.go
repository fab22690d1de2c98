package exit

import (
	"io/fs"
)

// NoFileError says that there is no file of a name that can only be that of one.
type NoFileError struct{ Path string }

func (e *NoFileError) Error() string { return e.Path + ": no such file or directory" }

func (e *NoFileError) Unwrap() error { return fs.ErrNotExist }
