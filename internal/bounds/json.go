package bounds

import "bytes"

// small is the length up to which no document can be large.
const small = large / (2 + valueCost)

// valueCost is the memory of one decoded value: an entry of a map takes 100 bytes, a
// descriptor 120.
const valueCost = 100

// Weight returns the memory that a JSON document takes while it is decoded, including
// its text. It returns an *Error for too many values. It looks only at the text outside
// of strings, and does not check that the document is valid.
func Weight(document []byte) (int64, error) {
	n := int64(len(document))
	if n <= small {
		return (2 + valueCost) * n, nil
	}
	values := 0
	for at := 0; at < len(document); at++ {
		switch document[at] {
		case '{', '[', ',':
			if values++; values > Values {
				return 0, &Error{What: "values in one document:", Most: Values}
			}
		case '"':
			at += 1 + lengthOfString(document[at+1:])
		}
	}
	return 2*n + valueCost*int64(values), nil
}

// lengthOfString returns the offset of the closing quote of a string.
func lengthOfString(text []byte) int {
	at := 0
	for {
		next := bytes.IndexByte(text[at:], '"')
		if next < 0 {
			return len(text)
		}
		at += next
		slashes := 0
		for slashes < at && text[at-1-slashes] == '\\' {
			slashes++
		}
		if slashes%2 == 0 {
			return at
		}
		at++
	}
}
