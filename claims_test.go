package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// proofs say which tests fail if what README.md says is no longer true. A key begins or
// is within one thing that is said: a sentence, a comment of a command, a row of a table.
// A proof is FOLDER.TestName, of package main .TestName, or a script in testdata/script.
var proofs = map[string]string{
	"registries -> bundle.tgz, or a directory":                             "backup_spec.txtar directory.txtar",
	"bundle -> another registry, renamed by the same spec":                 "e2e.TestBackupAndRestoreByASpec",
	"what would go where":                                                  "dry_run.txtar",
	"with a registry there":                                                "e2e.TestADirectoryForOrasAndBack",
	"a commented spec to begin with":                                       "init.txtar .TestSpecTextIsValid",
	"what backup would do, in numbers":                                     "plan.txtar .TestPlanIsWhatIsDone",
	"what restore would do":                                                "plan.txtar engine.TestForecastOfRestore",
	"writes mirror.lock.yaml: a line for each artifact":                    "lock.txtar config.TestDocumentedLock",
	"in CI: exit code 4 if it selects something else now":                  "lock.txtar",
	"the same lock, the same bundle, byte for byte":                        ".TestTutorials engine.TestSameBytes",
	"bundles, layouts, locks, specs, registries":                           "diff.txtar",
	"a directory: an OCI image layout":                                     "directory.txtar",
	"references from standard input":                                       "list_stdin.txtar",
	"any layout; what has a bare tag or no name goes into that repository": "foreign.txtar e2e.TestWeRestoreWhatOthersWrite",
	"a layout of one image without a name":                                 "layout_names.txtar",
	"what makes a cluster pull from the mirror":                            "client_config.txtar clientconfig.TestRuntimesPullFromTheMirror e2e.TestContainerdFollowsClientConfig e2e.TestSkopeoFollowsClientConfig",
	"completes flags, files, and references of a bundle":                   ".TestComplete .TestShellsComplete .TestShellsTakeTheirScripts",
	"what happens, as events for a program: docs/events.md":                "events.txtar .TestEventsOfTheDocumentation",
	"the manual": ".TestManPageHasTheGrammar",
	"what became of each artifact, as JSON; also of a run that fails":    "report.txtar",
	"hash what is there, too, and replace what is damaged":               "damaged_directory.txtar",
	"read back what was pushed":                                          "restore_verify.txtar",
	"what the spec no longer selects; without --dry-run it goes":         "prune.txtar",
	"backs up many OCI artifacts, from many registries, into one bundle": "e2e.TestBackupAndRestoreByASpec",
	"It is one static binary":                                            "internal/release.TestProgramIsStatic .TestWaysToInstall .TestDockerfile",
	"It uses the credentials of":                                         "login.txtar engine/registry.TestKeysOfCredentials engine/registry.TestHelpers",
	"flags have the names that":                                          "e2e.TestOurFlagsAreThoseOfOras",
	"`HTTP_PROXY`, `HTTPS_PROXY` and `NO_PROXY` hold":                    "e2e.TestProxies",
	"Backup, restore and a failure on a terminal of 80 columns":          "e2e.TestScreens",
	"Three tutorials go on from here":                                    ".TestTutorials .TestDocsNameFilesThatAreThere",
	"[docs/spec.md](docs/spec.md) has every key":                         "config.TestDocumentedExamples",
	"`oras-mirror schema` prints the JSON schema":                        "config.TestSchemaHasTheKeysOfTheStructs config.TestSchemaTakesGoodSpecs",
	"A run that was killed is gone on with by the same command":          "e2e.TestKilledBackupToADirectory e2e.TestKilledBackupToAnArchive resume.txtar",
	"`--only-failed` wants a directory or a new file":                    "report.txtar",
	"Only `prune` removes anything from a layout":                        "store.TestDirIsAddedTo prune.txtar",
	"describes the report":                                               ".TestReportSchemaIsTheStruct report.txtar",
	"An output that does not exist becomes a compressed tar file":        "output.txtar",
	"one that ends in `/`, or is a directory, an OCI image layout":       "output.txtar",
	"one that ends in `.tar` is not compressed":                          "output.txtar e2e.TestContainerdImportsTheArchive",
	"take the directory or the plain tar":                                "e2e.TestOthersTakeWhatWeWrite e2e.TestContainerdImportsTheArchive",
	"any `tar` unpacks both":                                             "e2e.TestOthersUnpackTheBundle",
	"Artifacts keep their full names in a layout":                        "e2e.TestOthersTakeWhatWeWrite",
	"`oras` reads them by those with `--oci-layout-path`":                "e2e.TestOthersTakeWhatWeWrite",
	"takes no name with a colon, only digests":                           "e2e.TestOthersTakeWhatWeWrite",
	"A directory also holds an empty `oras-mirror.lock`":                 "directory.txtar store.TestSecondProcessIsLockedOut",
	"a dash means no":                                                    "e2e.TestBesideOras e2e.TestBesideSkopeo",
	"What each of them does by itself":                                   "e2e.TestBesideOras",
	"What stands here of `oras` and `skopeo` is held by tests":           "e2e.TestBesideOras e2e.TestBesideSkopeo",
	"the other columns were read":                                        "e2e.TestBesideOras",
	"| one run takes |":                                                  "e2e.TestBackupAndRestoreByASpec e2e.TestBesideOras e2e.TestBesideSkopeo",
	"| what to take stands in |":                                         "backup_spec.txtar e2e.TestBesideOras e2e.TestBesideSkopeo",
	"| whole repositories |":                                             "backup_spec.txtar e2e.TestBesideOras e2e.TestBesideSkopeo",
	"| whole registries, by their catalog |":                             "catalog.txtar e2e.TestBesideOras",
	"| tags by |":                                                        "config.TestSelect e2e.TestBesideOras e2e.TestBesideSkopeo",
	"| pins what was selected":                                           "lock.txtar",
	"| one file to carry |":                                              "output.txtar e2e.TestBesideOras e2e.TestBesideSkopeo",
	"| copies on disk while that is made |":                              "e2e.TestTwoGigabytes e2e.TestBesideOras",
	"| signatures, SBOMs and other referrers |":                          "referrers.txtar e2e.TestBesideOras e2e.TestBesideSkopeo",
	"| repositories get other names by |":                                "config.TestMap e2e.TestBesideOras",
	"| of an image index |":                                              "platforms.txtar e2e.TestBesideOras e2e.TestBesideSkopeo",
	"| hashes all that it holds |":                                       "inspect.txtar",
	"| writes how clusters pull from the mirror |":                       "clientconfig.TestRuntimesPullFromTheMirror",
	"| registry to registry without a bundle |":                          "e2e.TestBesideOras e2e.TestBesideSkopeo",
	"| runs by a schedule of its own |":                                  ".TestCronJob",
	"| is a registry itself |":                                           ".TestReadmeNamesEveryCommand",
	"| deletes from the target |":                                        ".TestReadmeNamesEveryCommand",
	"| Helm repositories, files |":                                       ".TestReadmeNamesEveryCommand",
	"| 0 | all of it |":                                                  "backup_spec.txtar",
	"| 1 | failed, nothing committed |":                                  "failed_artifact.txtar",
	"| 2 | wrong usage or a wrong spec |":                                "bad_spec.txtar .TestWrongUsage",
	"| 3 | some artifacts failed, the others are there |":                "failed_artifact.txtar",
	"| 4 | drift: what is there is not what the lock or the spec says |": "diff.txtar lock.txtar",
	"| 5 | verification failed |":                                        "inspect.txtar restore_verify.txtar",
	"| 130, 143 | interrupted, terminated |":                             "interrupt.txtar e2e.TestSignalOnce",
	"Standard output carries the product alone":                          "pipe.txtar e2e.TestPipes",
	"All else goes to standard error":                                    "failed_artifact.txtar",
	"**Bytes stay as they are":                                           "e2e.TestBackupAndRestoreByASpec",
	"Manifests and blobs are not rewritten":                              "e2e.TestBackupAndRestoreByASpec platforms.txtar",
	"Only a target that asks for it":                                     "platforms.txtar",
	"**Nothing is left behind silently":                                  "referrers.txtar",
	"Referrers come along":                                               "referrers.txtar cosign.txtar e2e.TestADirectoryForOrasAndBack",
	"What failed is named, with its reason":                              "failed_artifact.txtar report.txtar",
	"**Nothing half done looks done":                                     "interrupt.txtar",
	"A bundle gets its name when it is whole":                            "store.TestArchiveHasItsNameOnlyWhenWhole",
	"a tag is pushed when all that it needs is there":                    "engine.TestUploadRefused e2e.TestKilledRestore",
	"**Nothing twice":                                                    "counts.txtar",
	"What artifacts share, even across registries":                       "e2e.TestSharedManifestsAndBlobsAreFetchedOnce e2e.TestRestoreUploadsOnceAndMountsTheRest counts.txtar",
	"**No copy on the side":                                              "e2e.TestTwoGigabytes",
	"A backup streams into its archive":                                  "e2e.TestTwoGigabytes e2e.TestPipes",
	"Only what another tool packed in an order of its own":               "store.TestStreamSpoolsForeignOrders store.TestSpoolingIsToldAndLeavesNothing",
	"**The same input gives the same bundle**":                           "engine.TestSameBytes e2e.TestPipes",
	"has every fault and what is left after it":                          "engine.TestEveryFaultHasItsTest",
	"measures the program beside oras":                                   "e2e.TestCompare",
	"tells how it is built":                                              ".TestTheHouse .TestArrows .TestEveryLibraryHasItsReason",
	"License: Apache-2.0":                                                ".TestWaysToInstall",
}

// TestEveryClaimHasItsProof holds README.md and the tests together: nothing is said there
// that no test holds.
func TestEveryClaimHasItsProof(t *testing.T) {
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	unused := make(map[string]bool)
	for key := range proofs {
		unused[key] = true
	}
	for _, said := range claimsOf(string(text)) {
		proven := false
		for key := range proofs {
			if strings.Contains(said, key) {
				proven = true
				delete(unused, key)
			}
		}
		if !proven {
			t.Errorf("no test is named for: %s", said)
		}
	}
	for key := range unused {
		t.Errorf("README.md does not say: %s", key)
	}
	for key, tests := range proofs {
		for name := range strings.FieldsSeq(tests) {
			if !isTest(t, name) {
				t.Errorf("%s: there is no test %s", key, name)
			}
		}
	}
}

var (
	codeBlock   = regexp.MustCompile("(?ms)^```(\\w*)\n(.*?)^```$")
	heading     = regexp.MustCompile(`(?m)^#.*$`)
	sentenceEnd = regexp.MustCompile(`(?:[.!?](?:\*\*)?|;)(?: |$)`)
)

// claimsOf returns what a page says: its sentences, the comments of its commands, the rows
// of its tables, white space made one blank.
func claimsOf(page string) []string {
	var all []string
	add := func(text string) {
		if text = strings.Join(strings.Fields(text), " "); text != "" {
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
				if i > 1 { // below the heads and the line
					add(row)
				}
			}
		case strings.HasSuffix(strings.TrimSpace(paragraph), ":"): // says what a block shows
		default:
			for _, item := range strings.Split("\n"+paragraph, "\n- ") {
				for _, sentence := range sentenceEnd.Split(strings.Join(strings.Fields(item), " "), -1) {
					add(sentence)
				}
			}
		}
	}
	return all
}

// isTest says that FOLDER.TestName or a script is there.
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
