package draft

// defaults are the settings that all sources have in common.
type defaults struct {
	noReferrers bool
	platforms   []string
}

func (d defaults) text() string {
	var f fields
	if len(d.platforms) > 0 {
		f.put("platforms", quoteAll(d.platforms))
	}
	if d.noReferrers {
		f.put("referrers", "false")
	}
	if len(f) == 0 {
		return ""
	}
	return "\ndefaults: " + f.String() + "\n"
}
