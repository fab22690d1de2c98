package draft

import "strings"

// Chart is a Helm chart.
type Chart struct {
	Name, Repo, Version string
	Images              bool
	Values              []string
}

func (c Chart) fields() fields {
	f := fields{{"chart", quote(c.Name)}}
	switch {
	case strings.HasPrefix(c.Repo, "oci://"):
		f = fields{{"chart", quote(c.Repo + "/" + c.Name)}}
	case c.Repo != "":
		f.put("repo", quote(c.Repo))
	}
	if c.Version != "" {
		f.put("version", quote(c.Version))
	}
	if !c.Images {
		f.put("images", "false")
	}
	if len(c.Values) > 0 {
		f.put("values", quoteAll(c.Values))
	}
	return f
}
