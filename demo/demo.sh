#!/usr/bin/env bash
# The main job on a laptop: two registries on loopback, one filled from
# testdata/layout, backed up by a spec, restored into the other under other names.
# Run it with `make demo`, which builds what it needs. It ends only what it started.
set -euo pipefail
shopt -s extglob
cd "$(dirname "${BASH_SOURCE[0]}")/.."

root=$PWD
tools=$root/.tools
program=${ORAS_MIRROR:-$root/oras-mirror}
registry=${REGISTRY:-$tools/demo-registry}
layout=$root/testdata/layout
work=${DEMO_WORK:-$root/demo/work}
started=()

end() {
	for pid in ${started[@]+"${started[@]}"}; do
		kill "$pid" 2>/dev/null || true
		wait "$pid" 2>/dev/null || true
	done
}
trap end EXIT

say() {
	if [ -t 1 ]; then
		printf '\n\033[1m# %s\033[0m\n' "$*"
	else
		printf '\n# %s\n' "$*"
	fi
}

show() {
	local line=" $*"
	printf '$%s\n' "${line// \/*([^ ])\// }" # programs and files without their folders
	"$@"
}

# registry NAME starts one on a port that is free and puts the port into $port.
registry() {
	local log=$work/$1.log
	: >"$log"
	"$registry" >"$log" 2>&1 &
	local pid=$!
	started+=("$pid")
	port=
	for _ in {1..100}; do
		port=$(sed -n 's/^listening on 127\.0\.0\.1:\([0-9]*\)$/\1/p' "$log")
		[ -z "$port" ] || return 0
		kill -0 "$pid" 2>/dev/null || break
		sleep 0.1
	done
	cat "$log" >&2
	return 1
}

rm -rf "$work"
mkdir -p "$work"
registry source
source=localhost:$port
registry site
site=localhost:$port

say "Fill a registry, $source, from a small OCI layout"
show "$program" restore --input "$layout" "$source"

sed -e "s/localhost:15000/$source/; s/localhost:15001/$site/" demo/mirror.yaml >"$work/mirror.yaml"
cd "$work"
say "The mirror spec"
cat mirror.yaml

say "Back up what it names into one file, and look into it"
show "$program" backup -f mirror.yaml
show "$program" list --input bundle.tgz
show "$program" verify --input bundle.tgz

say "Restore that file into another registry, $site, as the spec maps it"
show "$program" restore -f mirror.yaml --input bundle.tgz

say "What is there now"
export LC_ALL=C # for sort: a registry may list them in any order
show "$tools/oras" repo ls "$site" | sort
for repository in $("$tools/oras" repo ls "$site" | sort); do
	show "$tools/oras" repo tags "$site/$repository"
done
show "$tools/oras" discover --format tree "$site/mirror/platform/app:1.0"
