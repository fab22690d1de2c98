package docs

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// claimed are the pages whose every claim needs a test.
var claimed = []string{"README.md", "docs/commands.md", "docs/comparison.md", "docs/exit-codes.md"}

// proofs maps a claim to the tests that fail when the claim is no longer true. A key is
// part of one claim: a sentence, the comment of a command, a row of a table. A proof is
// FOLDER.TestName, .TestName in package main, or a script in testdata/script.
var proofs = map[string]string{
	"write the size of each repository into the lock":    "shard_locked.txtar config.TestLockRepositories",
	"compare four shards":                                "shard.txtar shard_locked.txtar",
	"the last of four shards":                            "shard_sync.txtar",
	"the first of four shards":                           "shard.txtar engine.TestShardsAreTheWholePlan",
	"in a Kubernetes Indexed Job: the shard of this pod": "shard.txtar docs.TestIndexedJob",
	"Each repository belongs to one shard":               "engine/shard.TestEveryShardComputesTheSame engine.TestShardsRestoreSideBySide",
	"how many machines a petabyte needs":                 "docs.TestFleetModel",

	"One spec, which you check in and review, says what to copy":                           "config.TestDocumentedExamples docs.TestReadmeSpecIsValid",
	"The four jobs: a mirror near your cluster":                                            "docs.TestPictureOfTheJobs docs.TestJobsOfTheReadme",
	"`oras backup` copies one repository a run":                                            "e2e.TestBesideOras",
	"If you need no more, use it":                                                          "e2e.TestADirectoryForOrasAndBack",
	"`skopeo sync` copies from many registries":                                            "e2e.TestBesideSkopeo",
	"`hauler` carries files too":                                                           "docs.TestHaulerIsAsTheTableSays",
	"Run `sync` again every night: it copies only what is new":                             "docs.TestJobsOfTheReadme engine/sync.TestRequestsOfImages",
	"Carry `bundle.tgz` and the program to the site":                                       "docs.TestJobsOfTheReadme docs.TestTutorials",
	"inside: hash every byte":                                                              "inspect.txtar docs.TestJobsOfTheReadme",
	"`serve` answers clients while `restore` fills the new registry":                       "docs.TestJobsOfTheReadme docs.TestTutorials",
	"every night: into a directory, only what is new":                                      "directory.txtar counts.txtar",
	"exit code 4 if anything is missing":                                                   "diff.txtar docs.TestJobsOfTheReadme",
	"Each machine copies its own shard, and no coordinator is needed":                      "shard.txtar engine/shard.TestEveryShardComputesTheSame",
	"the first of two machines":                                                            "docs.TestJobsOfTheReadme shard.txtar",
	"the second":                                                                           "docs.TestJobsOfTheReadme shard.txtar",
	"several inputs count as one":                                                          "docs.TestJobsOfTheReadme internal/cli.TestSeveralInputsCountAsMerged",
	"What make demo prints":                                                                "e2e.TestDemo e2e.TestSessionPicture",
	"Start with [the first mirror]":                                                        "docs.TestTutorials docs.TestLinksLeadSomewhere",
	"look up [commands](docs/commands.md)":                                                 "docs.TestCommandsPageNamesEveryCommand config.TestDocumentedExamples",
	"[docs/spec.md](docs/spec.md) describes every key":                                     "config.TestDocumentedExamples",
	"backs up OCI artifacts (images, Helm charts, signatures, SBOMs) from many registries": "e2e.TestBackupAndRestoreByASpec",
	"registries -> bundle.tgz, or a directory":                                             "backup_spec.txtar directory.txtar",
	"registries -> registry, with no bundle":                                               "sync.txtar e2e.TestSyncOfTwoGigabytes",
	"bundle -> another registry":                                                           "e2e.TestBackupAndRestoreByASpec",
	"bundle = a read-only registry":                                                        "serve.txtar e2e.TestOthersPullFromServe",
	"the next trip: only what bundle.tgz lacks":                                            "delta.txtar engine.TestDeltaHoldsOnlyWhatChanged",

	"A pull-through cache is one more key": "mirrors.txtar engine.TestMirrorHasTheContent",
	"Names stay those of the registry":     "mirrors.txtar engine.TestMirrorHasTheContent",

	"`list` counts signatures among the referrers and reads none of them": "internal/cli.TestListCountsTheReferrersOfABackup",
	"`verify -f` shows who signed, and so does a lock":                    "signatures.txtar",
	"a note says that there is none":                                      "statement_signed.txtar",
	"A bundle of an earlier run and an empty file are replaced":           "overwrite.txtar store.TestStrangersFileIsNotReplaced",
	"Any other file or object is left alone: the exit code is 2":          "overwrite.txtar store.TestObjectHasItsNameOnlyWhenWhole",

	"a delta: leave out the blobs that monday.tgz has":               "delta.txtar engine.TestDelta",
	"the base is known by its lock alone":                            "delta.txtar engine.TestDelta",
	"leave out what this registry has":                               "delta.txtar engine.TestDelta",
	"a delta to a delta":                                             "engine.TestDelta",
	"show what a delta saves":                                        "delta.txtar",
	"check what is in a delta, and name its base":                    "delta.txtar",
	"to a registry that has the base":                                "delta.txtar engine.TestDelta",
	"A delta has every manifest":                                     "engine.TestDelta engine.TestDeltaHoldsOnlyWhatChanged",
	"it is the new state, not a list of changes":                     "delta.txtar engine.TestDelta",
	"It lacks only blobs that its base has":                          "engine.TestBaseThatLacksABlob",
	"A base is a bundle, a layout, a lock":                           "delta.txtar engine.TestDelta",
	"`--base` can be repeated":                                       "engine.TestDeltaOfTwoBases",
	"No state is kept":                                               "engine.TestDelta",
	"Only blobs that an artifact of the base needs":                  "engine.TestBaseThatLacksABlob",
	"A blob that the base lacks is in the delta":                     "engine.TestBaseThatLacksABlob",
	"With a lock as the base, its manifests are read again":          "engine.TestDelta",
	"A note says so if a base has none of the artifacts":             "delta_notes.txtar",
	"Nothing is left out then":                                       "delta_notes.txtar",
	"`restore --dry-run` of a delta says how many blobs":             "delta_dry_run.txtar",
	"`plan --input` asks the target for them":                        "delta.txtar",
	"With a registry, the artifacts that the backup selects":         "delta.txtar engine.TestDelta",
	"mounts them from the repository that has them":                  "engine.TestHomesOfADelta",
	"An artifact whose blobs are not there fails":                    "delta.txtar engine.TestDelta",
	"`verify` reports a delta as intact":                             "delta.txtar",
	"Its exit code is 5 only if something is missing that the delta": "delta.txtar engine.TestDamagedDelta",
	"`diff` of two layouts also marks":                               "delta.txtar",
	"`backup` without `--base` does not write into a delta":          "delta.txtar",
	"The other commands read a delta beside inputs":                  "merge.txtar",
	"the blobs of a part that is missing are in the delta":           "delta_parts.txtar",
	"If a file of the base is written to while a delta is written":   "internal/cli.TestBaseThatIsWrittenAgain engine.TestBaseThatChanges delta_killed.txtar",
	"the others are restored":                                        "engine.TestDelta",
	"Run the same command again":                                     "delta_killed.txtar",

	"a base and its deltas become the full bundle":     "merge.txtar engine.TestMergeEqualsTheFullBundle",
	"unite bundles that have nothing in common":        "engine.TestMergeOfStrangers",
	"several inputs count as what merge makes of them": "internal/cli.TestSeveralInputsCountAsMerged internal/cli.TestRestoreOfSeveralInputs",
	"A delta replaces the base that it names":          "store.TestUnionUnitesByLineage",
	"deltas of deltas form a chain":                    "store.TestUnionUnitesByLineage engine.TestMergeEqualsTheFullBundle",
	"The result has what the last delta lists":         "engine.TestMergeEqualsTheFullBundle",
	"Other inputs are united by name":                  "engine.TestMergeOfStrangers",
	"A name with two digests is an error":              "internal/cli.TestInputsThatDoNotFit",
	"so is a delta whose base is not among the inputs": "internal/cli.TestInputsThatDoNotFit",
	"Deltas alone make one delta":                      "engine.TestMergeOfDeltasStaysADelta",
	"From archives, the result is byte for byte":       "engine.TestMergeEqualsTheFullBundle",
	"From directories, its content is the same":        "engine.TestMergeEqualsTheFullBundle",
	"Every blob is hashed":                             "engine.TestMergeTakesTheUndamagedCopy",
	"Where one input has a damaged copy":               "engine.TestMergeTakesTheUndamagedCopy engine.TestMergeTakesTheUndamagedCopyOfABundle",
	"If no input has one, the artifacts that need it":  "engine.TestMergeOfWhatIsDamagedEverywhere merge.txtar",
	"`merge` writes the output and no other file":      "merge.txtar",
	"It resumes after a kill as `backup` does":         "e2e.TestKilledMerge engine.TestInterruptedMergeResumes",
	"take `--input` any number of times":               "internal/cli.TestSeveralInputsCountAsMerged",
	"is expanded":                                      "internal/cli.TestSeveralInputsCountAsMerged",
	"other inputs supply the blobs of the base":        "internal/cli.TestRestoreOfSeveralInputs",

	"can also be in a bucket of object storage":           "bucket.txtar bucket_bundle.txtar bucket_reads.txtar",
	"Many machines can write to one layout there at once": "e2e.TestFourWritersOnABucket store.TestPruneAgainstWriters",

	"parts for media: bundle.001.tgz":                      "parts.txtar engine.TestBackupInParts",
	"in parts of at most this size":                        "parts.txtar store.TestPartsAreBundles",
	"`fat32` is the largest file of that file system":      "internal/cli/option.TestPartSizes",
	"`dvd` is 4,690,000,000 bytes":                         "internal/cli/option.TestPartSizes",
	"Each part is a bundle with all manifests":             "store.TestPartsAreBundles e2e.TestOthersReadEachPart",
	"A blob larger than a part is cut":                     "store.TestPartsAreBundles",
	"The same plan gives the same parts":                   "engine.TestBackupInParts store.TestPartsAreTheSameAgain",
	"They get their names together, when all are complete": "store.TestPartsAreReplacedTogether e2e.TestKilledBackupInParts",
	"The last line of the run tells how many there are":    "parts.txtar",
	"Read parts with a quoted pattern":                     "parts.txtar store.TestPartsAreOneLayout",
	"If a part is missing or damaged, it is named":         "parts.txtar engine.TestRestoreWithoutAPart",

	"a read-only registry on http://127.0.0.1:5000":                "serve.txtar docs.TestExamplesRun",
	"straight out of a bucket, without a copy on the disk":         "bucket_serve.txtar internal/serve.TestServesAllThatAnInputHas",
	"An input in a bucket costs one HEAD":                          "internal/serve.TestRequestsToABucket",
	"All reads of a bundle are of one version":                     "internal/serve.TestVersionsNeverMix",
	"tags and the catalog are still served":                        "internal/serve.TestBucketThatFailsForAWhile",
	"While the bucket does not answer":                             "internal/serve.TestBucketThatFailsForAWhile",
	"Credentials of a file or a role":                              "store/bucket.TestCredentialsThatExpire",
	"several inputs as one; the access log as JSON":                "serve.txtar internal/serve.TestNamesOfOneProcessForManyRegistries",
	"reads manifests and blobs straight out of the bundle":         "internal/serve.TestServesAllThatAnInputHas store/bundle.TestRangesOfAnEntry",
	"It answers the GET and HEAD requests of the OCI":              "internal/serve.TestServesAllThatAnInputHas internal/serve.TestReferrers internal/serve.TestPagesOfLists internal/serve.TestRangesAtTheEdges",
	"It answers 405 to every other method":                         "internal/serve.TestBase",
	"The catalog lists the names that `restore`":                   "internal/serve.TestMappedNames internal/serve.TestPagesOfLists",
	"An artifact can also be pulled under its full name":           "internal/serve.TestNamesOfOneProcessForManyRegistries",
	"A request with `?ns=REGISTRY`, which containerd sends":        "internal/serve.TestNamesOfOneProcessForManyRegistries e2e.TestContainerdPullsFromServe",
	"So one process can be a mirror of many registries":            "e2e.TestContainerdPullsFromServe",
	"If two artifacts have the same name, a pull of that name":     "internal/serve.TestTwoSourcesOfOneName internal/serve.TestOneNameInTwoInputs",
	"a second signal ends the process at once":                     "e2e.TestSignalTwice",
	"Both can be pulled under their full names":                    "internal/serve.TestTwoSourcesOfOneName",
	"An artifact that has only a tag needs":                        "serve.txtar",
	"Every blob and manifest of the input can be pulled by digest": "internal/serve.TestUnknownNames",
	"The tags of cosign and of lists of referrers":                 "internal/serve.TestServesAllThatAnInputHas",
	"A manifest is hashed before it is sent":                       "internal/serve.TestDamagedManifestIsNeverSent",
	"A blob is hashed when it is first sent":                       "internal/serve.TestDamagedBlobNeverArrivesWhole internal/serve.TestEndOfABlobIsSentOnceAllIsHashed",
	"`statement` prints an [in-toto Statement]":                    "internal/statement.TestStatement",
	"The same bundle gives the same bytes":                         "statement.txtar",
	"Its subjects are each file, `index.json`, and each root":      "statement.txtar internal/statement.TestStatement",
	"Its predicate type is":                                        "internal/statement.TestStatement",
	"has its keys, and `schema statement` prints its schema":       "statement_signed.txtar",
	"A statement hashes files and reads no blob":                   "internal/statement.TestStatement",
	"A directory and a layout in a bucket have no file":            "statement.txtar statement_bucket.txtar",
	"`index.json` counts as oras-mirror writes it":                 "internal/statement.TestStatement",
	"`statement -f` checks signatures as `verify -f` does":         "statement_signed.txtar",
	"nothing is printed, and the exit code is 5":                   "statement_signed.txtar",
	"`verify --statement` names what is missing, extra or changed": "statement.txtar internal/statement.TestCompare",
	"A file may have another name":                                 "statement.txtar",
	"It does not check the signature of the statement":             "docs.TestTutorials",
	"With `-f`, `verify --statement` also compares the signers":    "statement_signed.txtar internal/statement.TestOtherSigners internal/statement.TestOtherLock",
	"`--statement -` reads standard input":                         "statement_signed.txtar",
	"state every digest, to be signed":                             "statement.txtar",
	"and who signed each artifact":                                 "statement_signed.txtar",
	"the status of each artifact and every error, as JSON":         "inspect.txtar",
	"each mistake with file, line, path and hint":                  "validate.txtar",
	"the same as JSON, with sizes":                                 "prune.txtar",
	"print one document to standard output, also when they fail":   "inspect.txtar validate.txtar prune.txtar",
	"The exit codes and standard error stay the same":              "inspect.txtar validate.txtar prune.txtar",
	"explains each name in JSON":                                   "docs.TestNamesInJSON",
	"or that of another document that oras-mirror writes":          "statement_signed.txtar",
	"and `schema statement` prints its schema":                     "statement_signed.txtar",
	"exit code 5 if the bundle is not what was stated":             "statement.txtar",
	"`--verify` hashes everything":                                 "serve.txtar",
	"`serve` loads a replaced bundle or a changed index.json":      "internal/serve.TestReplacedInputs",
	"Running requests finish with the old content":                 "internal/serve.TestReplacedInputs",
	"If the new input cannot be read":                              "internal/serve.TestBundleThatIsTruncatedWhileItIsServed",
	"`--htpasswd` takes only bcrypt hashes":                        "internal/serve.TestPasswordFiles serve.txtar",
	"Without TLS, a note warns if the address":                     "internal/cli.TestServeWithoutTLSSaysWhatThatMeans",
	"After SIGINT or SIGTERM, running requests":                    "e2e.TestRequestsFinishAfterASignal",
	"The exit code is 130 or 143, as for every command":            "serve.txtar",
	"A client that sends no header":                                "internal/serve.TestClientThatTakesNothingIsDropped",
	"Standard error gets one line per request":                     "serve.txtar",
	"`--quiet` logs no requests":                                   "serve.txtar docs.TestEventsOfTheDocumentation",
	"`client-config --serve` writes":                               "client_config.txtar e2e.TestContainerdPullsFromServe e2e.TestSkopeoFollowsClientConfigOfServe",
	"docker has mirrors only for Docker Hub":                       "internal/clientconfig.TestServedRoutes",

	"Or run `make` in a checkout":                                  "docs.TestWaysToInstall docs.TestDockerfile docs.TestImageKnowsItsVersion internal/release.TestMakeInstall",
	"so `oras mirror` is a shell function":                         "internal/cli.TestOrasMirror",
	"whose help and hints then say `oras mirror`":                  "internal/cli.TestOrasMirror internal/cli.TestHelpSaysOrasMirror internal/cli.TestOrasIsUntouched",
	"define \"oras mirror\", too":                                  "internal/cli.TestOrasMirror",
	"also defines the shell function `oras`":                       "internal/cli.TestOrasMirror",
	"with its arguments, standard input and exit code":             "internal/cli.TestOrasMirror internal/cli.TestOrasIsUntouched",
	"Help and hints then say `oras mirror`":                        "internal/cli.TestOrasMirror internal/cli.TestHelpSaysOrasMirror",
	"Tab completes `oras mirror` as `oras-mirror`":                 "internal/cli.TestOrasMirrorCompletes",
	"`source <(oras-mirror completion bash --oras)` |":             "internal/cli.TestOrasMirrorCompletes",
	"`source <(oras-mirror completion zsh --oras)`":                "internal/cli.TestOrasMirrorCompletes",
	"`oras-mirror completion fish --oras \\| source`":              "internal/cli.TestOrasMirrorCompletes",
	"A script does not have that function":                         "internal/cli.TestOrasMirror",
	"has packages, Homebrew, and how to verify a download":         "internal/release.TestInstalledFromTheDeb internal/release.TestFormula internal/release.TestInstallPageVerifies",
	"The program is one static binary":                             "internal/release.TestProgramIsStatic docs.TestDockerfile",
	"It uses the credentials of":                                   "login.txtar engine/registry/credentials.TestKeysOfCredentials engine/registry/credentials.TestHelpers",
	"Two commands set up everything on a fresh machine":            "docs.TestMakeTargetsOfTheReadme e2e.TestDemo",
	"They need Go, make and bash":                                  "docs.TestMakeTargetsOfTheReadme",
	"build the program, start two registries on loopback":          "docs.TestMakeTargetsOfTheReadme e2e.TestDemo",
	"install the tools that the tests use and run all tests":       "docs.TestMakeTargetsOfTheReadme",
	"show what would be pushed where":                              "dry_run.txtar",
	"convert the spec of another tool":                             "init_from.txtar internal/migrate.TestExamples",
	"write a commented spec to start from":                         "init.txtar internal/cli.TestSpecTextIsValid",
	"show what backup would do":                                    "plan.txtar internal/cli.TestPlanIsWhatIsDone",
	"show what restore would do":                                   "plan.txtar engine.TestForecastOfRestore",
	"pin the digests in mirror.lock.yaml":                          "lock.txtar config.TestDocumentedLock",
	"| 0 | success |":                                              "backup_spec.txtar",
	"| 1 | failure, nothing committed |":                           "failed_artifact.txtar",
	"| 2 | invalid usage or invalid spec |":                        "bad_spec.txtar internal/cli.TestWrongUsage",
	"| 3 | some artifacts failed, the others are committed |":      "failed_artifact.txtar",
	"| 4 | drift: the content differs from the lock or the spec |": "diff.txtar lock.txtar",
	"| 5 | verification failed |":                                  "inspect.txtar restore_verify.txtar",
	"| 130, 143 | interrupted, terminated |":                       "interrupt.txtar e2e.TestSignalOnce",
	"**Bytes do not change":                                        "e2e.TestBackupAndRestoreByASpec",
	"Manifests and blobs are copied as they are":                   "e2e.TestBackupAndRestoreByASpec platforms.txtar",
	"Only a target with `platformMode: rewrite`":                   "platforms.txtar",
	"**Nothing is lost silently":                                   "referrers.txtar",
	"Signatures, SBOMs and other referrers are copied too":         "referrers.txtar cosign.txtar e2e.TestADirectoryForOrasAndBack",
	"Each failure is reported with its reason":                     "failed_artifact.txtar report.txtar",
	"**Nothing incomplete looks complete":                          "interrupt.txtar",
	"A bundle gets its name when it is complete":                   "store.TestArchiveHasItsNameOnlyWhenWhole",
	"A tag is pushed last":                                         "engine.TestUploadRefused e2e.TestKilledRestore",
	"**Nothing is copied twice":                                    "counts.txtar",
	"Shared content is fetched, stored and pushed once":            "e2e.TestSharedManifestsAndBlobsAreFetchedOnce e2e.TestRestoreUploadsOnceAndMountsTheRest counts.txtar",
	"**No temporary copy":                                          "e2e.TestTwoGigabytes",
	"A backup streams into its archive":                            "e2e.TestTwoGigabytes e2e.TestPipes",
	"Only an archive of another tool that comes through a pipe":    "store.TestStreamSpoolsForeignOrders store.TestSpoolingIsReportedAndLeavesNoFile",
	"**The same input gives the same bundle**":                     "engine.TestSameBytes e2e.TestPipes",
	"lists every page with the question that it answers":           "docs.TestBookHasEveryPage docs.TestEachPageLinksToTheNext",
	"[CONTRIBUTING.md](CONTRIBUTING.md)":                           "docs.TestLinksLeadSomewhere",
	"License: Apache-2.0":                                          "docs.TestWaysToInstall",

	"Every command ends with one of these codes":             "docs.TestExitCodes",
	"A script needs no other output to know what to do next": "docs.TestScheduledNamesTheExamples",
	"empty cell means that the command does not end so":      "exit_codes.txtar",
	"| `backup` | some artifacts failed;":                    "failed_artifact.txtar output.txtar lock.txtar",
	"| `restore` | some artifacts failed, or a part":         "parts.txtar restore_verify.txtar",
	"| `sync` | some artifacts failed |":                     "sync_failed.txtar sync.txtar exit_codes.txtar",
	"| `merge` | some artifacts are damaged":                 "merge.txtar",
	"| `plan` | some artifacts would fail |":                 "plan.txtar lock.txtar",
	"| `lock` | | `--check`: the spec selects":               "lock.txtar",
	"| `diff` | | the two differ |":                          "diff.txtar",
	"| `list` | a name in index.json":                        "exit_codes.txtar",
	"| `verify` | intact, but its backup lacks artifacts |":  "inspect.txtar",
	"| `statement` | a part of the input is missing |":       "statement_inputs.txtar statement_signed.txtar",
	"| `serve` | | |":                                      "serve.txtar",
	"| `prune` | some sources failed;":                     "prune.txtar",
	"`set -e` of a shell stops at 3 and at 4, too":         "docs.TestGitHubBackupRuns",
	"says what they mean for each command, and what to do": "docs.TestExitCodes",
	"3, 4 and 5 by command":                                "docs.TestExitCodes",
	"a command without a row has none of the three":        "docs.TestExitCodes",
	"has a function that goes on at 3":                     "docs.TestGitHubBackupRuns",

	"lists the flags of a command": "internal/cli.TestHelp",
	"shows the manual":             "internal/cli.TestManPageHasTheGrammar",
	"A backup, a restore and a failure on a terminal of 80 columns":                            "e2e.TestScreens",
	"everything that the spec selects":                                                         "backup_spec.txtar",
	"into a directory: an OCI image layout":                                                    "directory.txtar",
	"read references from standard input":                                                      "list_stdin.txtar",
	"report progress as JSON events":                                                           "events.txtar docs.TestEventsOfTheDocumentation",
	"If the output does not exist, `backup` writes a compressed tar file":                      "output.txtar",
	"If its name ends in `.tar`, the file is not compressed":                                   "output.txtar e2e.TestContainerdImportsTheArchive",
	"If it ends in `/` or is a directory":                                                      "output.txtar",
	"read the directory or the uncompressed tar":                                               "e2e.TestOthersTakeWhatWeWrite e2e.TestContainerdImportsTheArchive",
	"Any `tar` unpacks both kinds of file":                                                     "e2e.TestOthersUnpackTheBundle",
	"Artifacts keep their full names in a layout":                                              "e2e.TestOthersTakeWhatWeWrite",
	"`oras` reads them with `--oci-layout-path`":                                               "e2e.TestOthersTakeWhatWeWrite",
	"does not accept a name with a colon":                                                      "e2e.TestOthersTakeWhatWeWrite",
	"use a digest there":                                                                       "e2e.TestOthersTakeWhatWeWrite",
	"A directory contains an empty file `oras-mirror.lock`":                                    "directory.txtar store.TestSecondProcessIsLockedOut",
	"Do not remove it":                                                                         "store.TestSecondProcessIsLockedOut",
	"To resume a backup that was killed":                                                       "e2e.TestKilledBackupToADirectory e2e.TestKilledBackupToAnArchive",
	"A directory keeps its blobs":                                                              "e2e.TestKilledBackupToADirectory",
	"an archive keeps `NAME.partial`":                                                          "e2e.TestKilledBackupToAnArchive resume.txtar",
	"`--no-resume` starts over":                                                                "resume.txtar",
	"push it to a registry there":                                                              "e2e.TestADirectoryForOrasAndBack",
	"use the mappings and targets of the spec":                                                 "e2e.TestBackupAndRestoreByASpec",
	"any layout; artifacts without a full name go to this repository":                          "foreign.txtar e2e.TestWeRestoreWhatOthersWrite",
	"a layout with one image and no name":                                                      "layout_names.txtar",
	"from registry to registry":                                                                "sync.txtar",
	"all sources of the spec to all of its targets":                                            "sync.txtar",
	"to one target, exactly what the lock pins":                                                "sync.txtar",
	"show what sync would do":                                                                  "sync.txtar engine/sync.TestForecastIsWhatIsDone",
	"`sync` takes sources as `backup` does, including layouts on disk":                         "engine/sync.TestLayoutAsSource sync.txtar",
	"It writes nothing to disk":                                                                "e2e.TestSyncOfTwoGigabytes",
	"A tag that the target already has with the same digest costs one HEAD":                    "engine/sync.TestRequestsOfImages engine/sync.TestRequestsOfIndexes",
	"`sync` also lists the referrers":                                                          "engine/sync.TestRoundTrip",
	"A blob is mounted if the registry of the target has it":                                   "engine/sync.TestWithinOneRegistry",
	"Any other blob is kept in memory if it is at most a quarter":                              "engine/sync.TestSeveralTargets engine/sync.TestStreams",
	"The flags for access to registries exist for each side":                                   "sync_sides.txtar",
	"A `--from-` flag is never used for a target":                                              "sync_sides.txtar",
	"References are arguments, and the target is a flag":                                       "sync.txtar",
	"an index also costs a GET":                                                                "engine/sync.TestRequestsOfIndexes",
	"[events](events.md) go to standard output instead":                                        "serve.txtar docs.TestEventsOfTheDocumentation",
	"To resume a `sync`, run the same command again":                                           "e2e.TestKilledSync",
	"read back everything that was pushed":                                                     "restore_verify.txtar",
	"`restore` also reads OCI layouts that other tools write":                                  "foreign.txtar e2e.TestWeRestoreWhatOthersWrite",
	"hash every byte":                                                                          "inspect.txtar",
	"compare bundles, layouts, locks, specs or registries":                                     "diff.txtar",
	"the JSON schema, for your editor":                                                         "config.TestSchemaHasTheKeysOfTheStructs config.TestSchemaAcceptsGoodSpecs",
	"[spec.md](spec.md) describes every key":                                                   "config.TestDocumentedExamples",
	"write mirror.lock.yaml: one line per artifact":                                            "lock.txtar config.TestDocumentedLock",
	"in CI: exit code 4 if the spec selects something else now":                                "lock.txtar",
	"Tags with a [minAge](spec.md#minage) wait in the lock":                                    "min_age.txtar engine.TestMinAge",
	"With `--quarantine` those of the first lock wait":                                         "min_age.txtar engine.TestQuarantine",
	"same lock, same bundle, byte for byte":                                                    "docs.TestTutorials engine.TestSameBytes",
	"write a JSON report, even if the run fails":                                               "report.txtar",
	"retry only the artifacts that failed":                                                     "report.txtar",
	"hash existing blobs too and replace damaged ones":                                         "damaged_directory.txtar",
	"`--only-failed` needs a directory or a new file as output":                                "report.txtar",
	"describes the report":                                                                     "internal/report.TestReportSchemaIsTheStruct report.txtar",
	"The product of a command goes to standard output":                                         "pipe.txtar e2e.TestPipes",
	"Everything else goes to standard error":                                                   "failed_artifact.txtar",
	"An error begins with":                                                                     "failed_artifact.txtar",
	"show what the spec no longer selects; without --dry-run, remove it":                       "prune.txtar",
	"make a cluster pull from the mirror":                                                      "client_config.txtar internal/clientconfig.TestRuntimesPullFromTheMirror e2e.TestContainerdFollowsClientConfig e2e.TestSkopeoFollowsClientConfig",
	"completes flags, files and references of a bundle":                                        "internal/cli.TestComplete internal/cli.TestShellsComplete internal/cli.TestShellsTakeTheirScripts",
	"into a bucket: an OCI image layout":                                                       "bucket.txtar",
	"into a bucket: a bundle, without a file on the disk":                                      "bucket_bundle.txtar e2e.TestBucketTakesNoDisk",
	"from a bucket: blobs go in a second run":                                                  "bucket_prune.txtar store.TestBucketIsPrunedInTwoRuns",
	"is a layout in object storage":                                                            "store.TestLayoutsInBuckets bucket.txtar",
	"Both are read and written wherever":                                                       "bucket.txtar bucket_bundle.txtar bucket_prune.txtar",
	"Any number of machines can back up into one layout":                                       "store.TestBucketTakesAnyNumberOfWriters e2e.TestFourWritersOnABucket",
	"write metrics for Prometheus, with the last success":                                      "metrics.txtar internal/metrics.TestLastSuccessSurvivesFailures",
	"has examples for GitHub Actions, GitLab CI, Kubernetes, systemd, pre-commit and Renovate": "docs.TestScheduledNamesTheExamples docs.TestGitHubBackupRuns docs.TestGitLabMirrorRuns docs.TestSystemdAcceptsTheUnits docs.TestPreCommitHook docs.TestRenovatePreset",
	"`--metrics` keeps the time of the last success":                                           "metrics.txtar internal/metrics.TestLastSuccessSurvivesFailures",
	"lists the metrics, and has alerts and examples for schedulers":                            "docs.TestScheduledListsTheMetrics docs.TestAlerts",
	"A layout resumes after a kill":                                                            "e2e.TestKilledBackupToABucket",
	"a bundle starts over":                                                                     "e2e.TestKilledBackupToABucket",
	"and check signatures, see trust.md":                                                       "engine.TestCheckSignatures",
	"See [buckets]":                                                                            "config.TestDocumentedExamples",
	"list the images of Kubernetes manifests, with file and line":                              "images.txtar internal/discover.TestShapes",
	"each place with kind and path":                                                            "images.txtar",
	"`images` reads manifests and kustomizations in YAML or JSON":                              "internal/discover.TestShapes internal/discover.TestOverlays images.txtar",
	"The output is a list that `backup` and `sync` read":                                       "images.txtar docs.TestExamplesRun",
	"If a file is invalid, `images` prints no list":                                            "images.txtar",
	"In a spec, `kubernetes: deploy/**/*.yaml` selects":                                        "kubernetes.txtar config.TestKubernetesSources",
	"says where they are found":                                                                "config.TestDocumentedExamples internal/discover.TestKinds",
	"the manual":                                                                               "internal/cli.TestManPageHasTheGrammar",
	"Only `prune` removes content from a layout":                                               "store.TestDirIsAddedTo prune.txtar",
	"`HTTP_PROXY`, `HTTPS_PROXY` and `NO_PROXY` work as usual":                                 "e2e.TestProxies",
	"The names of most flags are those of `oras`":                                              "e2e.TestOurFlagsAreThoseOfOras",

	"compares the tools as they are":                        "e2e.TestBesideOras",
	"A dash means no":                                       "e2e.TestBesideOras e2e.TestBesideSkopeo",
	"an empty cell does not apply":                          "e2e.TestBesideOras e2e.TestBesideSkopeo",
	"Tests check the columns of oras-mirror":                "e2e.TestBesideOras e2e.TestBesideSkopeo",
	"The other columns come from":                           "e2e.TestBesideOras",
	"| one run copies from |":                               "e2e.TestBackupAndRestoreByASpec e2e.TestBesideOras e2e.TestBesideSkopeo",
	"| the selection is written in |":                       "backup_spec.txtar e2e.TestBesideOras e2e.TestBesideSkopeo",
	"| whole repositories |":                                "backup_spec.txtar e2e.TestBesideOras e2e.TestBesideSkopeo",
	"| whole registries, by their catalog |":                "catalog.txtar e2e.TestBesideOras",
	"| tags by |":                                           "config/filter.TestSelect e2e.TestBesideOras e2e.TestBesideSkopeo",
	"| a lock file pins the selection":                      "lock.txtar",
	"| one file to carry |":                                 "output.txtar e2e.TestBesideOras e2e.TestBesideSkopeo",
	"| copies on disk while it is written |":                "e2e.TestTwoGigabytes e2e.TestBesideOras",
	"| signatures, SBOMs and other referrers |":             "referrers.txtar e2e.TestBesideOras e2e.TestBesideSkopeo",
	"| repositories are renamed by |":                       "config.TestMap e2e.TestBesideOras",
	"| platforms of an image index |":                       "platforms.txtar e2e.TestBesideOras e2e.TestBesideSkopeo",
	"| verifies every byte of a bundle |":                   "inspect.txtar",
	"| writes the client configuration of a cluster |":      "internal/clientconfig.TestRuntimesPullFromTheMirror",
	"| copies from registry to registry without a bundle |": "sync.txtar e2e.TestBesideOras e2e.TestBesideSkopeo",
	"| runs on a schedule of its own |":                     "docs.TestCronJob",
	"| is a registry itself |":                              "serve.txtar e2e.TestOthersPullFromServe",
	"| deletes from the target |":                           "docs.TestCommandsPageNamesEveryCommand",
	"| Helm repositories, files |":                          "chart.txtar e2e.TestHelm",
}

// TestEveryClaimHasItsProof fails when a page makes a claim without a test.
func TestEveryClaimHasItsProof(t *testing.T) {
	unused := make(map[string]bool)
	for key := range proofs {
		unused[key] = true
	}
	for _, page := range claimed {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, claim := range claimsOf(string(text)) {
			proven := false
			for key := range proofs {
				if strings.Contains(claim, key) {
					proven = true
					delete(unused, key)
				}
			}
			if !proven {
				t.Errorf("%s: no test is named for: %s", page, claim)
			}
		}
	}
	for key := range unused {
		t.Errorf("no page claims: %s", key)
	}
	for key, tests := range proofs {
		for name := range strings.FieldsSeq(tests) {
			if !isTest(t, name) {
				t.Errorf("%s: test %s not found", key, name)
			}
		}
	}
}

var (
	codeBlock   = regexp.MustCompile("(?ms)^```(\\w*)\n(.*?)^```$")
	heading     = regexp.MustCompile(`(?m)^#.*$`)
	sentenceEnd = regexp.MustCompile(`(?:[.!?](?:\*\*)?|;)(?: |$)`)
)

// claimsOf returns the sentences of a page, the comments of its commands and the rows of
// its tables, each with single spaces.
func claimsOf(page string) []string {
	var all []string
	add := func(text string) {
		if text = oneLine(text); text != "" {
			all = append(all, text)
		}
	}
	for _, block := range codeBlock.FindAllStringSubmatch(page, -1) {
		for line := range strings.Lines(block[2]) {
			if _, comment, ok := strings.Cut(line, " # "); ok && block[1] == "sh" {
				add(comment)
			}
		}
	}
	page = heading.ReplaceAllString(codeBlock.ReplaceAllString(page, ""), "")
	for paragraph := range strings.SplitSeq(page, "\n\n") {
		switch {
		case strings.HasPrefix(paragraph, "|"):
			for i, row := range strings.Split(strings.TrimSpace(paragraph), "\n") {
				if i > 1 { // below the header
					add(row)
				}
			}
		case strings.HasSuffix(strings.TrimSpace(paragraph), ":"): // introduces a block
		case strings.HasPrefix(paragraph, "Next: ["): // leads to the next page
		default:
			for _, item := range strings.Split("\n"+paragraph, "\n- ") {
				for _, sentence := range sentenceEnd.Split(oneLine(item), -1) {
					add(sentence)
				}
			}
		}
	}
	return all
}

// isTest reports whether FOLDER.TestName or a script exists.
func isTest(t *testing.T, name string) bool {
	t.Helper()
	folder, test, ok := strings.Cut(name, ".")
	if !ok || test == "txtar" {
		_, err := os.Stat(filepath.Join("testdata", "script", name))
		return err == nil
	}
	files, err := filepath.Glob(filepath.Join(folder, "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(source), "func "+test+"(t *testing.T)") {
			return true
		}
	}
	return false
}
