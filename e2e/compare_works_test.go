package e2e

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// The contenders' names, which limits go by.
const (
	oursTgz      = "oras-mirror, bundle.tgz"
	oursDir      = "oras-mirror, directory"
	oursComplete = "oras-mirror, bundle.tgz, with referrers"
	oursPipe     = "oras-mirror, from a pipe"
	theirs       = "oras 1.3.6"
	theirs16     = "oras 1.3.6, --concurrency 16"
	skopeo       = "skopeo"
	floorFile    = "bare downloader, one file"
	floorFiles   = "bare downloader, files"
	floorAsking  = "bare downloader, one file, with referrers"
	oneAtATime   = "bare downloader, one connection"
	oursSync     = "oras-mirror sync"
	copier       = "bare copier"
	orasCp       = "oras cp 1.3.6"
	craneCp      = "crane cp"
	regctlCopy   = "regctl image copy"
)

// What they do. The works whose contenders cannot do referrers leave them out.
const (
	backupTgz = "oras-mirror backup --exclude-referrers -o bundle.tgz"
	backupDir = "oras-mirror backup --exclude-referrers -o layout/"
)

// works are those of issue 4's table.
func works() []work {
	return []work{latency(), small(), layers(), restored(), synced(), syncedSmall(), syncedMany(), oneBlob(), many()}
}

func latency() work {
	c := cargo{Kind: "images", N: 200, Delay: 20 * time.Millisecond}
	return work{
		short: "latency",
		title: "Backup of 200 artifacts of 2 blobs of their own and 1 shared, 20 ms a request",
		contenders: []contender{
			{oursTgz, c, []string{backupTgz + " HOST/many"}},
			{oursDir, c, []string{backupDir + " HOST/many"}},
			{oursComplete, c, []string{"oras-mirror backup -o bundle.tgz HOST/many"}},
			{floorFile, c, []string{"floor file"}},
			{floorFiles, c, []string{"floor files/"}},
			{floorAsking, c, []string{"floor file referrers"}},
			{theirs, c, []string{"oras backup --plain-http --no-tty --output layout HOST/many"}},
			{theirs16, c, []string{"oras backup --plain-http --no-tty --concurrency 16 --output layout HOST/many"}},
			{skopeo, c, []string{"skopeo --insecure-policy sync --src-tls-verify=false --src docker --dest dir HOST/many out"}},
		},
		limits: []limit{
			ratio(oursDir, theirs, 0.1),
			ratio(oursTgz, floorFile, 1.3),
			ratio(oursDir, floorFiles, 1.3),
			ratio(oursComplete, floorAsking, 1.3),
		},
	}
}

func small() work {
	c := cargo{Kind: "artifacts", N: 1000}
	return work{
		short: "small",
		title: "Backup of 1,000 artifacts of 2 KiB",
		contenders: []contender{
			{oursTgz, c, []string{backupTgz + " HOST/many"}},
			{oursDir, c, []string{backupDir + " HOST/many"}},
			{floorFile, c, []string{"floor file"}},
			{floorFiles, c, []string{"floor files/"}},
			{theirs, c, []string{"oras backup --plain-http --no-tty --output layout HOST/many"}},
			{skopeo, c, []string{"skopeo --insecure-policy sync --src-tls-verify=false --src docker --dest dir HOST/many out"}},
		},
		limits: []limit{
			ratio(oursDir, theirs, 1/3.),
			ratio(oursTgz, theirs, 1/3.),
			ratio(oursTgz, floorFile, 1.3),
			ratio(oursDir, floorFiles, 1.3),
		},
	}
}

// perRepository is a command line for each repository of the layers.
func perRepository(line string) []string {
	var lines []string
	for i := range 4 {
		lines = append(lines, fmt.Sprintf(line, i+1))
	}
	return lines
}

const allLayers = " HOST/team/app1 HOST/team/app2 HOST/team/app3 HOST/team/app4"

func layers() work {
	c := cargo{Kind: "layers"}
	return work{
		short: "layers",
		title: "Backup of 576 MiB in 26 blobs, 8 artifacts in 4 repositories",
		contenders: []contender{
			{oursTgz, c, []string{backupTgz + allLayers}},
			{oursDir, c, []string{backupDir + allLayers}},
			{floorFile, c, []string{"floor file"}},
			{floorFiles, c, []string{"floor files/"}},
			{theirs, c, perRepository("oras backup --plain-http --no-tty --output layout%[1]d HOST/team/app%[1]d")},
			{skopeo, c, perRepository("skopeo --insecure-policy sync --src-tls-verify=false --scoped --src docker --dest dir HOST/team/app%d out")},
		},
		limits: []limit{
			ratio(oursTgz, floorFile, 1.25),
			ratio(oursTgz, theirs, 0.5),
		},
	}
}

func restored() work {
	c := cargo{Kind: "layers"}
	return work{
		short: "restore",
		title: "Restore of the same 576 MiB to an empty registry",
		input: slices.Concat(
			[]string{backupTgz + allLayers, backupDir + allLayers},
			perRepository("oras backup --plain-http --no-tty --output oras%[1]d HOST/team/app%[1]d")),
		contenders: []contender{
			{oursDir, c, []string{"oras-mirror restore --input layout HOST"}},
			{oursTgz, c, []string{"oras-mirror restore --input bundle.tgz HOST"}},
			{oursPipe, c, []string{"oras-mirror restore --input - HOST < bundle.tgz"}},
			{theirs, c, perRepository("oras restore --plain-http --no-tty --input oras%[1]d HOST/team/app%[1]d")},
		},
		limits: []limit{
			ratio(oursDir, theirs, 0.8),
			ratio(oursTgz, theirs, 0.95),
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
	c := cargo{Kind: "layers"}
	return work{
		short:  "copy",
		title:  "Sync of the same 576 MiB to an empty registry",
		copies: true,
		contenders: []contender{
			{oursSync, c, []string{"oras-mirror sync --exclude-referrers --target TARGET" + allLayers}},
			{copier, c, []string{"floor copy"}},
			{orasCp, c, perTag("oras cp --from-plain-http --to-plain-http --no-tty HOST/REF TARGET/REF")},
			{craneCp, c, perTag("crane cp HOST/REF TARGET/REF")},
			{regctlCopy, c, slices.Concat(
				[]string{"regctl registry set --tls disabled HOST", "regctl registry set --tls disabled TARGET"},
				perTag("regctl image copy HOST/REF TARGET/REF"))},
			{skopeo, c, perRepository("skopeo --insecure-policy sync --src-tls-verify=false --dest-tls-verify=false --src docker --dest docker HOST/team/app%d TARGET/team")},
		},
		limits: []limit{
			ratio(oursSync, copier, 1.15),
			ratio(oursSync, orasCp, 1),
			ratio(oursSync, craneCp, 1),
			ratio(oursSync, regctlCopy, 1),
			ratio(oursSync, skopeo, 1),
		},
	}
}

func syncedSmall() work {
	c := cargo{Kind: "images", N: 200, Delay: 20 * time.Millisecond}
	return work{
		short:  "copysmall",
		title:  "Sync of 200 artifacts of 2 blobs of their own and 1 shared, 20 ms a request at both sides",
		copies: true,
		contenders: []contender{
			{oursSync, c, []string{"oras-mirror sync --exclude-referrers --target TARGET HOST/many"}},
			{copier, c, []string{"floor copy"}},
		},
		limits: []limit{ratio(oursSync, copier, 1.2)},
	}
}

func syncedMany() work {
	c := cargo{Kind: "artifacts", N: *compareMany}
	return work{
		short:      "copymany",
		title:      fmt.Sprintf("Sync of %s artifacts of 2 KiB, and once more with nothing new", thousands(c.N)),
		copies:     true,
		contenders: []contender{{oursSync, c, []string{"oras-mirror sync --target TARGET HOST/many", "oras-mirror sync --exclude-referrers --target TARGET HOST/many"}}},
		limits:     []limit{memory(oursSync, 256)},
	}
}

func oneBlob() work {
	c := cargo{Kind: "blob", N: *compareBlob, Rate: 20 << 20}
	return work{
		short: "blob",
		title: fmt.Sprintf("Backup of one blob of %s MiB, 20 MiB/s a connection", thousands(*compareBlob)),
		contenders: []contender{
			{oursTgz, c, []string{backupTgz + " HOST/many"}},
			{oursDir, c, []string{backupDir + " HOST/many"}},
			{oneAtATime, c, []string{"floor file single"}},
		},
		limits: []limit{
			ratio(oursTgz, oneAtATime, 1/3.),
			ratio(oursDir, oneAtATime, 1/3.),
		},
	}
}

func many() work {
	few, lots := cargo{Kind: "artifacts", N: 1000}, cargo{Kind: "artifacts", N: *compareMany}
	w := work{
		short: "many",
		title: fmt.Sprintf("Backup of %s artifacts of 2 KiB with referrers, and of 1,000", thousands(lots.N)),
	}
	for _, output := range []string{"bundle.tgz", "layout/"} {
		lines := []string{"oras-mirror backup -o " + output + " HOST/many"}
		name := " artifacts, " + strings.Replace(output, "layout/", "directory", 1)
		a, b := "1,000"+name, thousands(lots.N)+name
		w.contenders = append(w.contenders, contender{a, few, lines}, contender{b, lots, lines})
		w.limits = append(w.limits, perArtifact(b, lots.N, a, few.N, 1.5), memory(b, 256))
	}
	return w
}
