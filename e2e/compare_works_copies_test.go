package e2e

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

const sameCores = "hashing, which both do at both ends, takes most of the time of both: contender and registry share the cores."

func restored() work {
	c := cargo{Kind: "layers", N: *compareLayer}
	return work{
		short: "restore",
		title: "Restore of the same 576 MiB to an empty registry",
		input: slices.Concat(
			[]string{backupTgz + allLayers, backupDir + allLayers},
			perRepository("oras backup --plain-http --no-tty --output oras%[1]d HOST/team/app%[1]d")),
		contenders: []contender{
			{name: oursDir, source: c, steps: []string{"oras-mirror restore --input ../layout TARGET"}},
			{name: oursTgz, source: c, steps: []string{"oras-mirror restore --input ../bundle.tgz TARGET"}},
			{name: oursPipe, source: c, steps: []string{"oras-mirror restore --input - TARGET < ../bundle.tgz"}},
			{name: restorer, source: c, steps: []string{"floor restore layout=../layout"}},
			{name: theirs, source: c, steps: perRepository("oras restore --plain-http --no-tty --input ../oras%[1]d TARGET/team/app%[1]d")},
		},
		limits: []limit{
			ratio(oursDir, restorer, 1.3),
			ratio(oursTgz, restorer, 1.5).because("the members of a bundle are checked by their CRC besides the digest, and read out of their frames."),
			ratio(oursDir, theirs, 0.8).because(sameCores),
			ratio(oursTgz, theirs, 0.95).because(sameCores),
		},
		jobs: []job{
			{"Restore 576 MiB from a directory", oursDir, restorer, []string{theirs}},
			{"Restore 576 MiB from a bundle", oursTgz, restorer, []string{theirs}},
		},
	}
}

// perTag is a command line for each tag of the layers.
func perTag(line string) []string {
	var lines []string
	for i := range 4 {
		for _, tag := range []string{"v1", "v2"} {
			lines = append(lines, strings.ReplaceAll(line, "REF", fmt.Sprintf("team/app%d:%s", i+1, tag)))
		}
	}
	return lines
}

func synced() work {
	c := cargo{Kind: "layers", N: *compareLayer}
	return work{
		short: "copy",
		title: "Sync of the same 576 MiB to an empty registry",
		contenders: []contender{
			{name: oursSync, source: c, steps: []string{"oras-mirror sync --exclude-referrers --target TARGET" + allLayers}},
			{name: copier, source: c, steps: []string{"floor copy"}},
			{name: orasCp, source: c, steps: perTag("oras cp --from-plain-http --to-plain-http --no-tty HOST/REF TARGET/REF")},
			{name: craneCp, source: c, steps: perTag("crane cp HOST/REF TARGET/REF")},
			{name: regctlCopy, source: c, steps: slices.Concat(
				[]string{"regctl registry set --tls disabled HOST", "regctl registry set --tls disabled TARGET"},
				perTag("regctl image copy HOST/REF TARGET/REF"))},
			{name: skopeo, source: c, steps: perRepository("skopeo --insecure-policy sync --src-tls-verify=false --dest-tls-verify=false --src docker --dest docker HOST/team/app%d TARGET/team")},
		},
		limits: []limit{
			ratio(oursSync, copier, 1.15).because("the last bytes of a blob wait until its digest is right, so that a damaged blob never arrives; the bare copier " +
				"finds out afterwards."),
			ratio(oursSync, orasCp, 1).because(sameCores),
			ratio(oursSync, craneCp, 1).because(sameCores),
			ratio(oursSync, regctlCopy, 1).because(sameCores),
			ratio(oursSync, skopeo, 1).because(sameCores),
			traffic(oursSync, copier, 1.01).because("requests have more headers than those of the bare copier."),
			requests(oursSync, copier, 8),
		},
		jobs: []job{{"Sync 576 MiB to an empty registry", oursSync, copier, []string{orasCp, craneCp, regctlCopy, skopeo}}},
	}
}

func syncedSmall() work {
	c := cargo{Kind: "images", N: 200, Delay: 20 * time.Millisecond}
	return work{
		short: "copysmall",
		title: "Sync of 200 artifacts of 2 blobs of their own and 1 shared, 20 ms a request at both sides",
		contenders: []contender{
			{name: oursSync, source: c, steps: []string{"oras-mirror sync --exclude-referrers --target TARGET HOST/many"}},
			{name: copier, source: c, steps: []string{"floor copy"}},
		},
		limits: []limit{
			ratio(oursSync, copier, 1.2),
			requests(oursSync, copier, 8),
		},
		jobs: []job{{"Sync 200 small artifacts, 20 ms a request", oursSync, copier, nil}},
	}
}

func syncedMany() work {
	c := cargo{Kind: "artifacts", N: *compareMany}
	return work{
		short:      "copymany",
		title:      fmt.Sprintf("Sync of %s artifacts of 2 KiB, and once more with nothing new", thousands(c.N)),
		contenders: []contender{{name: oursSync, source: c, steps: []string{"oras-mirror sync --target TARGET HOST/many", "oras-mirror sync --exclude-referrers --target TARGET HOST/many"}}},
		limits:     []limit{memory(oursSync, 256)},
		jobs:       []job{{what: fmt.Sprintf("Sync %s artifacts, and once more with nothing new", thousands(c.N)), ours: oursSync}},
	}
}
