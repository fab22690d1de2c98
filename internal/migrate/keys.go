package migrate

// Key is a key of another tool: what it becomes, or why it has no counterpart. One with
// neither changes nothing about what is mirrored.
type Key struct {
	Name string // its path, with [] for an element of a list and * for any name
	Ours string
	Why  string
}

// Keys returns the keys of a format that are known, in the order of its documentation.
func Keys(f Format) []Key {
	switch f {
	case Hauler:
		return haulerKeys
	case OCMirror:
		return ocMirrorKeys
	case Regsync:
		return regsyncKeys
	case Skopeo:
		return skopeoKeys
	case FluxMirror:
		return fluxMirrorKeys
	}
	return nil
}

func keysOf(f Format) map[string]Key {
	all := make(map[string]Key)
	for _, k := range Keys(f) {
		all[k.Name] = k
	}
	return all
}

// These reasons belong to several keys.
const (
	whySchedule  = "a schedule belongs to cron, a timer or a CronJob that runs oras-mirror"
	whyLogin     = `a spec has no credentials: log in with "oras login"`
	whyVerify    = "signatures are copied, but not verified by this spec"
	whyOpenShift = `only oc-mirror knows what this selects: convert the mapping.txt of "oc-mirror --dry-run" instead, which lists all images`
	whyRuns      = "a setting of the program that runs, not of what is mirrored"
	whyAlways    = "oras-mirror decides this itself"
	whyHooks     = "a spec runs no commands"
)
