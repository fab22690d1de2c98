package stories

// Invisible has a character of each kind that must not reach a terminal.
var Invisible = map[string]string{
	"escape": "\x1b", "bell": "\a", "delete": "\x7f", "CSI of 8 bits": "\u009b", "half of UTF-8": "\xe2\x80",
	"right-to-left override": "\u202e", "isolate": "\u2066", "right-to-left mark": "\u200f", "Arabic letter mark": "\u061c",
	"zero width space": "\u200b", "joiner": "\u200d", "byte order mark": "\ufeff", "soft hyphen": "\u00ad", "word joiner": "\u2060",
	"tag": "\U000e0061", "annotation": "\ufff9", "musical": "\U0001d173", "shorthand": "\U0001bca0",
	"private": "\ue000", "not assigned": "\u0378", "no character": "\uffff", "Hangul filler": "\u3164", "half-width filler": "\uffa0",
	"grapheme joiner": "\u034f", "variation selector": "\U000e0100", "Mongolian selector": "\u180b",
}
