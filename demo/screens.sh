#!/usr/bin/env bash
# Takes the screens in docs/screens/ and animates them: a terminal of 80 columns during a
# backup, at its end, after a restore, and after a failure. Run it with `make screens`. It
# stops only the processes that it started.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

root=$PWD
program=${ORAS_MIRROR:-$root/oras-mirror}
registry=${REGISTRY:-$root/.tools/registry}
out=${SCREENS:-$root/docs/screens}
work=$(mktemp -d)
tmux=(tmux -L "oras-mirror-screens-$$" -f /dev/null)
started=()

end() {
	"${tmux[@]}" kill-server 2>/dev/null || true
	for pid in ${started[@]+"${started[@]}"}; do
		kill "$pid" 2>/dev/null || true
		wait "$pid" 2>/dev/null || true
	done
	rm -rf "$work"
}
trap end EXIT

# serve NAME starts a registry on a free port of loopback and sets $port.
serve() {
	local log=$work/$1.log
	printf '{"version": "0.1", "log": {"accesslog": {"disabled": true}}, "storage": {"filesystem": {"rootdirectory": "%s"}}, "http": {"addr": "127.0.0.1:0"}}\n' "$work/$1" >"$work/$1.yml"
	: >"$log"
	env -u REGISTRY_AUTH_FILE OTEL_TRACES_EXPORTER=none "$registry" serve "$work/$1.yml" >"$log" 2>&1 &
	started+=("$!")
	port=
	for _ in {1..100}; do
		port=$(sed -n 's/.*listening on 127\.0\.0\.1:\([0-9]*\).*/\1/p' "$log")
		[ -z "$port" ] || return 0
		sleep 0.1
	done
	cat "$log" >&2
	return 1
}

# type TEXT types a line into the terminal.
type() { "${tmux[@]}" send-keys -t 0 -l "$1" && "${tmux[@]}" send-keys -t 0 Enter; }

# screen prints the screen of the terminal with fixed ports. They are as long as the real
# ones, so that columns stay aligned.
screen() { "${tmux[@]}" capture-pane -t 0 -p | sed -e "s/${source#*:}/15000/g; s/${site#*:}/15001/g"; }

# until_shown PATTERN waits until the screen shows it.
until_shown() {
	for _ in {1..600}; do
		! "${tmux[@]}" capture-pane -t 0 -p | grep -Eq -- "$1" || return 0
		sleep 0.05
	done
	screen >&2
	echo "the screen did not show $1" >&2
	return 1
}

# shoot NAME saves the screen without trailing empty lines.
shoot() {
	mkdir -p "$out"
	screen | sed -e :a -e '/^\n*$/{$d;N;ba' -e '}' >"$out/$1.txt"
	echo "wrote $out/$1.txt"
}

# fill pushes layers of random bytes, large enough to show progress.
fill() {
	mkdir -p "$work/fill"
	local name
	for name in team/app:1.0 team/app:1.1 team/db:2.3 tools/build:2026; do
		head -c "${LAYER:-96M}" /dev/urandom >"$work/fill/layer"
		(cd "$work/fill" && "$root/.tools/oras" push --plain-http --artifact-type application/vnd.example "$1/$name" layer:application/octet-stream >/dev/null)
	done
}

serve source
source=localhost:$port
serve site
site=localhost:$port
fill "$source"

mkdir "$work/desk"
ln -s "$program" "$work/oras-mirror"
"${tmux[@]}" new-session -d -x 80 -y 24 -c "$work/desk" "env -u CI TERM=screen PS1='\$ ' PATH=$work:\$PATH bash --norc"
until_shown '^\$'

type "oras-mirror backup --concurrency 1 -o bundle.tgz $source/team/app $source/team/db $source/tools/build"
until_shown '%.* [1-3]/4 |^backed up'
shoot backup
until_shown '^backed up'
shoot backup-done

type clear
type "oras-mirror restore --input bundle.tgz $site/mirror"
until_shown '^restored'
shoot restore

type clear
type "oras-mirror backup -o again.tgz $source/team/app:1.0 $source/team/app:9.9 $source/nothing"
until_shown '^oras-mirror: hint'
until_shown '^backed up'
shoot failure

# picture animates the screens, each for four seconds.
picture() {
	local screens=(backup backup-done restore failure) n=0 line width y
	echo '<svg xmlns="http://www.w3.org/2000/svg" width="664" height="260" font-family="monospace" font-size="13" fill="#ddd">'
	echo '<style>g{visibility:hidden;animation:s 16s step-end infinite}@keyframes s{0%{visibility:visible}25%,100%{visibility:hidden}}</style>'
	echo '<rect width="664" height="260" rx="6" fill="#1e1e1e"/>'
	for name in "${screens[@]}"; do
		echo "<g style=\"animation-delay:$((4 * n))s\">"
		y=24
		while IFS= read -r line; do
			width=$((8 * ${#line}))
			line=${line//&/\&amp;} line=${line//</\&lt;}
			echo "<text x=\"12\" y=\"$y\" xml:space=\"preserve\" textLength=\"$width\">$line</text>"
			y=$((y + 17))
		done < <(sed 's/^$/ /' "$out/$name.txt")
		echo '</g>'
		n=$((n + 1))
	done
	echo '</svg>'
}
picture >"$out/session.svg"
echo "wrote $out/session.svg"
