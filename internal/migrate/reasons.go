package migrate

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
