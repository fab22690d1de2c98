//go:build !unix

package main

import "os"

// isClosed leaves it to the first write, which fails.
func isClosed(*os.File) bool { return false }
