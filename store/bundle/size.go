package bundle

// Bytes of an archive beside those of its content.
const (
	perEntry  = 2 << 10 // headers of tar and gzip, padding, a record of the table
	perMember = 256     // a header and a trailer of gzip and stored blocks, for each MiB
)

// MaxSize returns the bytes that an archive of so many entries takes at most, where the
// entries have size bytes in all and nothing gets smaller by compression.
func MaxSize(entries int, size int64) int64 {
	return size + int64(entries)*perEntry + size>>20*perMember
}
