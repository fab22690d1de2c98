package exit

// NoLockError says that a spec has not been locked.
type NoLockError struct{ Path string }

func (e *NoLockError) Error() string { return e.Path + ": no such lock" }
