package cli

import (
	"errors"
	"os"
	"runtime/pprof"

	"github.com/oras-mirror/oras-mirror/internal/filetype"
	"github.com/oras-mirror/oras-mirror/internal/overwrite"
)

// profileFlag names the file of a CPU profile. The flag is hidden: it is for developers of
// the program.
type profileFlag string

// AfterApply starts the profile; kong calls it.
func (f profileFlag) AfterApply(p *profile) (err error) {
	if err := overwrite.Check("--cpuprofile", string(f), filetype.Unknown, nil); err != nil {
		return err
	}
	*p, err = startProfile(string(f))
	return err
}

// profile is a CPU profile that is being written; the zero value is none.
type profile struct{ file *os.File }

// startProfile starts a profile.
func startProfile(path string) (profile, error) {
	f, err := os.Create(path)
	if err != nil {
		return profile{}, err
	}
	if err := pprof.StartCPUProfile(f); err != nil {
		return profile{}, errors.Join(err, f.Close())
	}
	return profile{f}, nil
}

// stop ends the profile, if there is one.
func (p profile) stop() error {
	if p.file == nil {
		return nil
	}
	pprof.StopCPUProfile()
	return p.file.Close()
}
