package main

import (
	"io"

	"github.com/oras-mirror/oras-mirror/store"
)

// inputFlags name what is read.
type inputFlags struct {
	Input   string `placeholder:"PATH" help:"Read this directory, or tar archive of any kind; - for standard input."`
	TempDir string `type:"existingdir" placeholder:"PATH" help:"Folder for temporary files, such as an archive of another tool that comes through a pipe."`
}

// claim checks that there is something to read.
func (f *inputFlags) claim(s *streams, stdinTerminal bool) error {
	switch {
	case f.Input == "":
		return usage("say what to read with --input PATH, or --input - for standard input", "no --input")
	case f.Input != "-":
		return nil
	case stdinTerminal:
		return usage("pipe an archive into it", "standard input is a terminal")
	}
	return s.readBy("--input -")
}

// open opens what the flags name. spooling is told the name and the size of an archive
// that is unpacked to a temporary file first; a size of -1 is not known.
func (f *inputFlags) open(stdin io.Reader, spooling func(name string, size int64)) (store.Input, error) {
	options := store.OpenOptions{TempDir: f.TempDir, Spooling: func(size int64) { spooling(f.Input, size) }}
	if f.Input == "-" {
		return store.OpenStream(stdin, options)
	}
	return store.OpenLayout(f.Input, options)
}

// spooling says why a disk fills.
func (u *ui) spooling(name string, size int64) {
	if name == "-" {
		name = "standard input"
	}
	how := ""
	if size >= 0 {
		how = " (" + bytesText(size) + ")"
	}
	u.notice("%s%s is an archive of another tool, which can only be read from front to end: it is unpacked to a temporary file first", name, how)
}
