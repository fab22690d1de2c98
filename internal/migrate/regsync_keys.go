package migrate

import (
	"slices"

	"github.com/oras-mirror/oras-mirror/internal/migrate/document"
)

// regsyncKeys are the keys of regsync.yml. Those of sync[] that defaults has too are read from
// there where a step has none.
var regsyncKeys = regsyncTable()

func regsyncTable() []document.Key {
	all := slices.Clone(regsyncOwnKeys)
	for _, in := range []string{"defaults", "sync[]"} {
		for _, k := range regsyncSharedKeys {
			k.Name = in + "." + k.Name
			all = append(all, k)
		}
	}
	return all
}

// regsyncOwnKeys are the keys that stand in one place.
var regsyncOwnKeys = []document.Key{
	{Name: "version"},
	{Name: "creds", Ours: "`registries`"},
	{Name: "creds[].registry", Ours: "`registry`"},
	{Name: "creds[].user", Ours: "nothing: log in with `oras login`"},
	{Name: "creds[].pass", Ours: "nothing: log in with `oras login`"},
	{Name: "creds[].token", Ours: "nothing: log in with `oras login`"},
	{Name: "creds[].credHelper", Ours: "nothing: set the helper in the configuration of docker"},
	{Name: "creds[].credExpire", Why: whyLogin},
	{Name: "creds[].credHost", Why: whyLogin},
	{Name: "creds[].repoAuth", Why: whyAlways},
	{Name: "creds[].tls", Ours: "`plainHTTP: true` for `disabled`, `insecure: true` for `insecure`"},
	{Name: "creds[].regcert", Why: "write the certificate into a file, and set caFile of the registry"},
	{Name: "creds[].clientCert", Why: "write the certificate into a file, and set certFile of the registry"},
	{Name: "creds[].clientcert", Why: "write the certificate into a file, and set certFile of the registry"},
	{Name: "creds[].clientKey", Why: "write the key into a file, and set keyFile of the registry"},
	{Name: "creds[].clientkey", Why: "write the key into a file, and set keyFile of the registry"},
	{Name: "creds[].hostname", Why: "a registry is reached by its name: use the name of the host in references"},
	{Name: "creds[].scheme", Why: "set plainHTTP of the registry"},
	{Name: "creds[].dns", Why: "a registry is reached by its name: use the name of the host in references"},
	{Name: "creds[].pathPrefix", Ours: "the path of a mirror; else see right", Why: whyPrefix},
	{Name: "creds[].mirrors", Ours: "`mirrors` of the registry"},
	{Name: "creds[].priority", Ours: "the order of `mirrors`, which are always asked before the registry"},
	{Name: "creds[].blobChunk", Why: whyAlways},
	{Name: "creds[].blobMax", Why: whyAlways},
	{Name: "creds[].api", Why: whyAlways},
	{Name: "creds[].apiOpts", Why: whyAlways},
	{Name: "creds[].reqPerSec", Ours: "`requestsPerSecond`"},
	{Name: "creds[].reqConcurrent", Ours: "`concurrency`"},
	{Name: "defaults", Ours: "each step without its own"},
	{Name: "defaults.parallel", Why: `use the flag --concurrency`},
	{Name: "defaults.skipDockerConfig", Why: whyRuns},
	{Name: "defaults.userAgent", Why: whyRuns},
	{Name: "defaults.blobLimit", Why: whyRuns},
	{Name: "defaults.cacheCount", Why: whyRuns},
	{Name: "defaults.cacheTime", Why: whyRuns},
	{Name: "sync", Ours: "sources, targets and mappings"},
	{Name: "sync[].source", Ours: "a source"},
	{Name: "sync[].target", Ours: "a target and a mapping"},
	{Name: "sync[].type", Ours: "a reference, `repository` or `registry`"},
	{Name: "sync[].platform", Ours: "`platforms`; the index keeps its digest"},
	{Name: "sync[].platforms", Ours: "`platforms`"},
	{Name: "sync[].tags", Ours: "`tags`"},
	{Name: "sync[].tags.allow", Ours: "`include` or `regex`"},
	{Name: "sync[].tags.deny", Ours: "`exclude`, if a glob matches the same; else the source is a comment"},
	{Name: "sync[].tags.semverRange", Ours: "`semver`"},
	{Name: "sync[].tagSets", Ours: "a source for each"},
	{Name: "sync[].tagSets[].allow", Ours: "`include` or `regex`"},
	{Name: "sync[].tagSets[].deny", Ours: "`exclude`, if a glob matches the same; else the source is a comment"},
	{Name: "sync[].tagSets[].semverRange", Ours: "`semver`"},
	{Name: "sync[].repos", Ours: "`repositories`"},
	{Name: "sync[].repos.allow", Ours: "`include`, if a glob matches the same; else the source is a comment"},
	{Name: "sync[].repos.deny", Ours: "`exclude`, if a glob matches the same; else the source is a comment"},
}

// regsyncSharedKeys are the keys of defaults and of each step.
var regsyncSharedKeys = []document.Key{
	{Name: "referrers", Ours: "`referrers`"},
	{Name: "referrerFilters", Ours: "`referrers: {artifactTypes}`"},
	{Name: "referrerFilters[].artifactType", Ours: "`artifactTypes`"},
	{Name: "referrerFilters[].annotations", Why: "referrers are selected by their artifact type only"},
	{Name: "digestTags", Ours: "`referrers`"},
	{Name: "backup", Why: "an overwritten tag is not kept: back up the target first"},
	{Name: "interval", Why: whySchedule},
	{Name: "schedule", Why: whySchedule},
	{Name: "ratelimit", Why: "set requestsPerSecond of the registry"},
	{Name: "mediaTypes", Why: "every artifact is copied, whatever its media type"},
	{Name: "referrerSource", Why: "referrers are read from the repository of their subject"},
	{Name: "referrerTarget", Why: "referrers are pushed to the repository of their subject"},
	{Name: "referrerSlow", Why: whyAlways},
	{Name: "fastCheck", Why: whyAlways},
	{Name: "fastCopy", Why: whyAlways},
	{Name: "forceRecursive", Why: whyAlways},
	{Name: "includeExternal", Why: "layers at other places are not copied"},
	{Name: "hooks", Why: whyHooks},
}
