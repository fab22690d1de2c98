package draft

import "testing"

// TestChart checks the keys of a chart. One in a registry is an artifact like any other, unless
// its images are wanted.
func TestChart(t *testing.T) {
	for want, c := range map[string]Chart{
		"{chart: app, repo: https://c.io, version: '1.x', images: false}":     {Name: "app", Repo: "https://c.io", Version: "1.x"},
		"{chart: app, repo: https://c.io, values: [prod.yaml]}":               {Name: "app", Repo: "https://c.io", Images: true, Values: []string{"prod.yaml"}},
		"{chart: oci://c.io/charts/app, version: '1.2.3'}":                    {Name: "app", Repo: "oci://c.io/charts/", Version: "1.2.3", Images: true},
		"c.io/charts/app:1.2.3_b":                                             {Name: "app", Repo: "oci://c.io/charts/", Version: "1.2.3+b"},
		"{repository: c.io/charts/app, tags: {semver: '>=1, <2', latest: 1}}": {Name: "app", Repo: "oci://c.io/charts", Version: ">=1, <2"},
		"{repository: c.io/charts/app, tags: {semver: '*', latest: 1}}":       {Name: "app", Repo: "oci://c.io/charts"},
	} {
		if got := ChartSource(c).text(defaults{}); got != want {
			t.Errorf("%v is %s, want %s", c, got, want)
		}
	}
}
