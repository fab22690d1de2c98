package e2e

import (
	"fmt"
	"time"
)

const (
	oursDelta  = "oras-mirror, delta.tgz"
	floorDelta = "bare downloader, one file, new blobs only"

	oursObjects  = "oras-mirror, s3://backups/layout/"
	oursObject   = "oras-mirror, s3://backups/bundle.tgz"
	floorObjects = "bare uploader, an object for each blob"
	floorObject  = "bare uploader, one object in parts"

	oursTaken  = "oras-mirror, out of s3://backups/bundle.tgz"
	oursPicked = "oras-mirror, out of s3://backups/layout/"
	floorTaken = "bare restorer, out of s3://backups/layout/"

	firstTgz     = "oras-mirror serve, bundle.tgz, first time"
	laterTgz     = "oras-mirror serve, bundle.tgz, later"
	firstDir     = "oras-mirror serve, directory, first time"
	laterDir     = "oras-mirror serve, directory, later"
	distribution = "distribution 3.1.2"
	fileBare     = "bare file server"
	fileHash     = "bare file server that hashes"
)

// changed is a second trip.
func changed() work {
	c := cargo{Kind: "release", N: 100, Delay: 20 * time.Millisecond}
	return work{
		short:   "delta",
		title:   "Backup of 100 artifacts of 2 MiB after 3 of them changed, 20 ms a request",
		input:   []string{backupTgz + " HOST/many", "floor know"},
		changes: true,
		contenders: []contender{
			{name: oursDelta, source: c, steps: []string{"oras-mirror backup --exclude-referrers --base ../bundle.tgz -o delta.tgz HOST/many"}},
			{name: floorDelta, source: c, steps: []string{"floor file known=../known.json"}},
			{name: oursTgz, source: c, steps: []string{backupTgz + " HOST/many"}},
			{name: floorFile, source: c, steps: []string{"floor file"}},
		},
		limits: []limit{
			ratio(oursDelta, floorDelta, 1.3).because("the delta reads the index.json of its base first, and lists in its own which blobs it lacks. " +
				"The work is short, so the start of the program and these reads weigh in it."),
			ratio(oursDelta, oursTgz, 0.5).because("both ask for 100 manifests, which takes most of the time of the delta."),
			traffic(oursDelta, floorDelta, 1.05).because("the requests have more headers than those of the bare downloader."),
			traffic(oursDelta, oursTgz, 0.05).because("100 manifests come each time, however few blobs do."),
			requests(oursDelta, floorDelta, 0),
		},
		jobs: []job{{what: "Back up 100 artifacts to a delta, after 3 changed", ours: oursDelta, floor: floorDelta}},
	}
}

const ownBuffer = "memory is bounded by --buffer (128 MiB), and parts wait in it; the bare uploader has as much as it wants, see its peak memory."

func stored() work {
	c := cargo{Kind: "layers", N: *compareLayer}
	return work{
		short: "bucket",
		title: "Backup of the same 576 MiB to a bucket",
		contenders: []contender{
			{name: oursObjects, source: c, steps: []string{"oras-mirror backup --exclude-referrers -o s3://backups/layout/" + allLayers}},
			{name: floorObjects, source: c, steps: []string{"floor put-objects"}},
			{name: oursObject, source: c, steps: []string{"oras-mirror backup --exclude-referrers -o s3://backups/bundle.tgz" + allLayers}},
			{name: floorObject, source: c, steps: []string{"floor put-object"}},
		},
		limits: []limit{
			ratio(oursObjects, floorObjects, 1.3).because("the layout is listed first, and two objects show whether the server honours conditions, without which no other writer " +
				"may be there; a large blob is completed only after its digest is right. The bare uploader overwrites what is there."),
			ratio(oursObject, floorObject, 1.3).because("an archive has one writer and an order, so parts are filled one after the other; " + ownBuffer),
			memory(oursObjects, 256),
			memory(oursObject, 256),
		},
		jobs: []job{
			{what: "Back up 576 MiB to a layout in a bucket", ours: oursObjects, floor: floorObjects},
			{what: "Back up 576 MiB to a bundle in a bucket", ours: oursObject, floor: floorObject},
		},
	}
}

func taken() work {
	c := cargo{Kind: "layers", N: *compareLayer}
	const one = "oras-mirror restore --only '**/app1:v1' --input "
	return work{
		short: "bucketread",
		title: "Restore of one artifact of 128 MiB out of these in a bucket",
		input: []string{
			"oras-mirror backup --exclude-referrers -o s3://backups/layout/" + allLayers,
			"oras-mirror backup --exclude-referrers -o s3://backups/bundle.tgz" + allLayers,
		},
		contenders: []contender{
			{name: oursTaken, source: c, steps: []string{one + "s3://backups/bundle.tgz TARGET"}},
			{name: oursPicked, source: c, steps: []string{one + "s3://backups/layout/ TARGET"}},
			{name: floorTaken, source: c, steps: []string{"floor take"}},
		},
		limits: []limit{
			ratio(oursTaken, floorTaken, 1.3).because("the table at the end of the bundle and its start are read one after the other before the first " +
				"blob, and each member is checked by its CRC besides its digest."),
			ratio(oursPicked, floorTaken, 1.3).because(askedFirst),
			traffic(oursTaken, floorTaken, 1.05).because("the start and the end of the bundle are read besides the blobs."),
			traffic(oursPicked, floorTaken, 1.05).because("requests to a bucket have more headers than those of the bare restorer."),
		},
		jobs: []job{{what: "Restore one artifact of 128 MiB out of a bundle of 576 MiB in a bucket", ours: oursTaken, floor: floorTaken}},
	}
}

const askedFirst = "what the target has is asked first, and an opened layout is looked at more closely than the bare restorer does: both take requests, " +
	"one after the other."

const hashedOnce = "the first GET of a blob is hashed before its last MiB is sent, so that a damaged blob never arrives whole, and this takes a core for each GET. "

func servedWork() work {
	c := cargo{Kind: "big", N: *compareServed}
	const tgz, dir = "oras-mirror serve --input bundle.tgz", "oras-mirror serve --input layout"
	pull := []string{"floor pull known=../known.json"}
	return work{
		short: "serve",
		title: fmt.Sprintf("Serving %d MiB to 8 GETs at once", 8*c.N),
		note: "CPU and memory are the server's. The first GET of a blob is hashed on its way, later ones are not. distribution has the " +
			"blobs on its disk and hashes nothing that it sends; nor does the bare file server (net/http), but one that hashes all.",
		input: []string{backupTgz + " HOST/many", backupDir + " HOST/many", "floor know"},
		contenders: []contender{
			{name: firstTgz, source: c, steps: pull, server: tgz},
			{name: laterTgz, source: c, steps: pull, server: tgz, warm: true},
			{name: firstDir, source: c, steps: pull, server: dir},
			{name: laterDir, source: c, steps: pull, server: dir, warm: true},
			{name: distribution, source: c, steps: pull, server: "registry serve config.yml"},
			{name: fileBare, source: c, steps: pull, server: "floor files"},
			{name: fileHash, source: c, steps: pull, server: "floor files hash"},
		},
		limits: []limit{
			ratio(firstTgz, fileHash, 1.3).because(hashedOnce + "The members of a bundle are checked by their CRC, too."),
			ratio(firstDir, fileHash, 1.3).because(hashedOnce),
			ratio(laterTgz, fileBare, 1.3).because("the bytes of a bundle lie in members, each checked by its CRC before it is sent, " +
				"so they pass through the program; the bare file server leaves the copying to the kernel (sendfile)."),
			ratio(laterDir, fileBare, 1.3).because("the file is opened and its size and time are compared with those that were hashed."),
			ratio(firstTgz, distribution, 1.8).because(hashedOnce + "distribution hashes nothing that it sends. Against a file server that hashes, see above."),
			ratio(firstDir, distribution, 1.8).because(hashedOnce + "distribution hashes nothing that it sends. Against a file server that hashes, see above."),
			ratio(laterTgz, distribution, 1.3).because("members are checked by their CRC; distribution sends the file by sendfile."),
			ratio(laterDir, distribution, 1.1),
		},
		jobs: []job{
			{what: fmt.Sprintf("Serve %d MiB out of a bundle, the first time", 8*c.N), ours: firstTgz, floor: fileHash, others: []string{distribution}},
			{what: "Serve them once more", ours: laterTgz, floor: fileBare, others: []string{distribution}},
		},
	}
}
