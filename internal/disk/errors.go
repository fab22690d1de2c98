package disk

// StrangerError reports a file that a backup would use but did not create. It is neither
// written to nor removed.
type StrangerError struct{ Path string }

func (e *StrangerError) Error() string {
	return e.Path + ": exists and was not written by oras-mirror"
}

// LockedError reports that another process writes to Path.
type LockedError struct{ Path string }

func (e *LockedError) Error() string { return e.Path + ": another process is writing to it" }
