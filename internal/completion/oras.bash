
# oras passes "oras mirror" to oras-mirror, and everything else to oras as it is. The
# completion of oras calls it too, and replaces ours if it is read later.
function oras {
	if [[ ${1-} == mirror ]]; then
		shift
		ORAS_MIRROR_NAME="oras mirror" command oras-mirror "$@"
	elif [[ ${1-} == __complete && ${2-} == mirror && $# -gt 2 ]]; then
		shift 2
		_oras_mirror_answer "$@"
	else
		[[ ${1-} == __complete && $# -eq 2 && mirror == "$2"* ]] &&
			printf 'mirror\tBack up, restore and sync many artifacts (oras-mirror)\n'
		command oras "$@"
	fi
}

# _oras_mirror_answer prints candidates as the completion of oras reads them: without the flag
# before "=", and then 0 for files, 16 for folders, 4 for neither.
_oras_mirror_answer() {
	local text directive=4 flag=""
	for text; do :; done
	[[ $text == --*=* ]] && flag=${text%%=*}=
	while IFS= read -r text; do
		case $text in
		:files*) directive=0 ;;
		:folders*) directive=16 ;;
		*) printf '%s\n' "${text#"$flag"}" ;;
		esac
	done < <(command oras-mirror __complete "$@" 2>/dev/null)
	echo ":$directive"
}

# _oras_mirror_oras completes "oras mirror", and by the completion of oras everything else.
_oras_mirror_oras() {
	local line=${COMP_LINE:0:COMP_POINT}
	local -a words
	read -ra words <<<"$line"
	[[ $line == *[[:space:]] ]] && words+=("")
	if [[ ${words[0]} == oras && ${words[1]-} == mirror && ${#words[@]} -gt 2 ]]; then
		compopt +o default 2>/dev/null # which the completion of oras has
		_oras_mirror
		return
	fi
	COMPREPLY=()
	if ! declare -F __start_oras >/dev/null && declare -F __load_completion >/dev/null; then
		__load_completion oras 2>/dev/null
		complete -o default -F _oras_mirror_oras oras
	fi
	if declare -F __start_oras >/dev/null; then
		__start_oras "$@"
	elif [[ ${#words[@]} -eq 2 && mirror == "${words[1]}"* ]]; then
		COMPREPLY=(mirror)
	fi
}

complete -o default -F _oras_mirror_oras oras
