package e2e

import (
	"fmt"
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
	floorRanges  = "bare downloader, 7 ranges at once"
	oursSync     = "oras-mirror sync"
	copier       = "bare copier"
	orasCp       = "oras cp 1.3.6"
	craneCp      = "crane cp"
	regctlCopy   = "regctl image copy"
	restorer     = "bare restorer"
	oursTar      = "oras-mirror, bundle.tar"
)

// What they do. The works whose contenders cannot do referrers leave them out.
const (
	backupTgz = "oras-mirror backup --exclude-referrers -o bundle.tgz"
	backupDir = "oras-mirror backup --exclude-referrers -o layout/"
)

// works are all that is compared, in the order of the document.
func works() []work {
	return []work{
		latency(), small(), layers(), oneBlob(), changed(), restored(), synced(), syncedSmall(),
		servedWork(), stored(), taken(), many(), syncedMany(),
	}
}

func latency() work {
	c := cargo{Kind: "images", N: 200, Delay: 20 * time.Millisecond}
	return work{
		short: "latency",
		title: "Backup of 200 artifacts of 2 blobs of their own and 1 shared, 20 ms a request",
		contenders: []contender{
			{name: oursTgz, source: c, steps: []string{backupTgz + " HOST/many"}},
			{name: oursDir, source: c, steps: []string{backupDir + " HOST/many"}},
			{name: oursComplete, source: c, steps: []string{"oras-mirror backup -o bundle.tgz HOST/many"}},
			{name: floorFile, source: c, steps: []string{"floor file"}},
			{name: floorFiles, source: c, steps: []string{"floor files/"}},
			{name: floorAsking, source: c, steps: []string{"floor file referrers"}},
			{name: theirs, source: c, steps: []string{"oras backup --plain-http --no-tty --output layout HOST/many"}},
			{name: theirs16, source: c, steps: []string{"oras backup --plain-http --no-tty --concurrency 16 --output layout HOST/many"}},
			{name: skopeo, source: c, steps: []string{"skopeo --insecure-policy sync --src-tls-verify=false --src docker --dest dir HOST/many out"}},
		},
		limits: []limit{
			ratio(oursDir, theirs, 0.1),
			ratio(oursTgz, floorFile, 1.3),
			ratio(oursDir, floorFiles, 1.3),
			ratio(oursComplete, floorAsking, 1.3),
		},
		jobs: []job{
			{"Back up 200 small artifacts to a bundle, 20 ms a request", oursTgz, floorFile, []string{theirs, theirs16, skopeo}},
			{"The same to a directory", oursDir, floorFiles, []string{theirs, theirs16, skopeo}},
			{"The same to a bundle, with referrers", oursComplete, floorAsking, nil},
		},
	}
}

func small() work {
	c := cargo{Kind: "artifacts", N: 1000}
	return work{
		short: "small",
		title: "Backup of 1,000 artifacts of 2 KiB",
		contenders: []contender{
			{name: oursTgz, source: c, steps: []string{backupTgz + " HOST/many"}},
			{name: oursDir, source: c, steps: []string{backupDir + " HOST/many"}},
			{name: oursTar, source: c, steps: []string{"oras-mirror backup --exclude-referrers -o bundle.tar HOST/many"}},
			{name: floorFile, source: c, steps: []string{"floor file"}},
			{name: floorFiles, source: c, steps: []string{"floor files/"}},
			{name: theirs, source: c, steps: []string{"oras backup --plain-http --no-tty --output layout HOST/many"}},
			{name: skopeo, source: c, steps: []string{"skopeo --insecure-policy sync --src-tls-verify=false --src docker --dest dir HOST/many out"}},
		},
		limits: []limit{
			ratio(oursDir, theirs, 1/3.),
			ratio(oursTgz, theirs, 1/3.),
			ratio(oursTgz, floorFile, 1.3).because("there is no delay here, so CPU decides. By its profile a fifth of ours compresses 2,001 manifests and " +
				"blobs, each a member of its own, so that each can be read alone (bundle.tar does not). The rest is what the floor leaves out: retries and " +
				"timeouts around each request, manifests checked, index.json. With 20 ms a request nothing is seen of it, see above."),
			ratio(oursDir, floorFiles, 1.3),
		},
		jobs: []job{
			{"Back up 1,000 artifacts of 2 KiB to a bundle, no delay", oursTgz, floorFile, []string{theirs, skopeo}},
			{"The same to a directory", oursDir, floorFiles, []string{theirs, skopeo}},
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
	c := cargo{Kind: "layers", N: *compareLayer}
	return work{
		short: "layers",
		title: "Backup of 576 MiB in 26 blobs, 8 artifacts in 4 repositories",
		contenders: []contender{
			{name: oursTgz, source: c, steps: []string{backupTgz + allLayers}},
			{name: oursDir, source: c, steps: []string{backupDir + allLayers}},
			{name: floorFile, source: c, steps: []string{"floor file"}},
			{name: floorFiles, source: c, steps: []string{"floor files/"}},
			{name: theirs, source: c, steps: perRepository("oras backup --plain-http --no-tty --output layout%[1]d HOST/team/app%[1]d")},
			{name: skopeo, source: c, steps: perRepository("skopeo --insecure-policy sync --src-tls-verify=false --scoped --src docker --dest dir HOST/team/app%d out")},
		},
		limits: []limit{
			ratio(oursTgz, floorFile, 1.25),
			ratio(oursDir, floorFiles, 1.25),
			ratio(oursTgz, theirs, 0.5).because("nothing can be twice as fast here: the floor is not either. Contender and registry share two cores, and hashing " +
				"and moving the bytes takes both of them all the time. oras writes a directory, which is less work than one file in order; " +
				"compare it with our directory. Its 32 GETs of 26 blobs are what it does too much."),
		},
		jobs: []job{
			{"Back up 576 MiB in 26 blobs to a bundle", oursTgz, floorFile, []string{theirs, skopeo}},
			{"The same to a directory", oursDir, floorFiles, []string{theirs, skopeo}},
		},
	}
}

const inOrder = "the bytes are written and compressed in order, and a range keeps its memory until its turn; one waits on another."

func oneBlob() work {
	c := cargo{Kind: "blob", N: *compareBlob, Rate: 20 << 20}
	return work{
		short: "blob",
		title: fmt.Sprintf("Backup of one blob of %s MiB, 20 MiB/s a connection", thousands(*compareBlob)),
		contenders: []contender{
			{name: oursTgz, source: c, steps: []string{backupTgz + " HOST/many"}},
			{name: oursDir, source: c, steps: []string{backupDir + " HOST/many"}},
			{name: floorRanges, source: c, steps: []string{"floor file ranges"}},
			{name: oneAtATime, source: c, steps: []string{"floor file single"}},
		},
		limits: []limit{
			ratio(oursTgz, oneAtATime, 1/3.),
			ratio(oursDir, oneAtATime, 1/3.),
			ratio(oursTgz, floorRanges, 1.3).because(inOrder),
			ratio(oursDir, floorRanges, 1.3).because(inOrder),
		},
		jobs: []job{
			{fmt.Sprintf("Back up one blob of %s MiB to a bundle, 20 MiB/s a connection", thousands(*compareBlob)), oursTgz, floorRanges, nil},
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
		w.contenders = append(w.contenders, contender{name: a, source: few, steps: lines}, contender{name: b, source: lots, steps: lines})
		w.limits = append(w.limits, perArtifact(b, lots.N, a, few.N, 1.5), memory(b, 256))
		w.jobs = append(w.jobs, job{what: fmt.Sprintf("Back up %s artifacts with referrers to a %s", thousands(lots.N), map[bool]string{true: "bundle", false: "directory"}[output == "bundle.tgz"]), ours: b})
	}
	return w
}
