#!/usr/bin/env bash
# Fills a registry on loopback from testdata/layout, backs it up by a spec, and restores the
# bundle into a second registry under other names. Run it with `make demo`, which builds
# everything that it needs. It stops only the processes that it started.
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
	printf '$%s\n' "${line// \/*([^ ])\// }" # omit the folders of programs and files
	"$@"
}

# registry NAME starts a registry on a free port and sets $port.
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

say "Back up into one file, and inspect it"
show "$program" backup -f mirror.yaml
show "$program" list --input bundle.tgz
show "$program" verify --input bundle.tgz

say "Restore the file into another registry, $site, under the names of the spec"
show "$program" restore -f mirror.yaml --input bundle.tgz

say "List the result"
export LC_ALL=C # for sort: a registry may list repositories in any order
show "$tools/oras" repo ls "$site" | sort
for repository in $("$tools/oras" repo ls "$site" | sort); do
	show "$tools/oras" repo tags "$site/$repository"
done
show "$tools/oras" discover --format tree "$site/mirror/platform/app:1.0"
