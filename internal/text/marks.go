package text

// The beginnings of lines by which a program can tell them apart.
const (
	ErrorMark = "oras-mirror: error: "
	HintMark  = "oras-mirror: hint: "
	NoteMark  = "oras-mirror: note: "
)
