package text

// ErrorMark, HintMark and NoteMark begin the lines on standard error, so that a program can
// tell them apart.
const (
	ErrorMark = "oras-mirror: error: "
	HintMark  = "oras-mirror: hint: "
	NoteMark  = "oras-mirror: note: "
)
