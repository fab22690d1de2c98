
# oras passes "oras mirror" to oras-mirror, and everything else to oras as it is.
function oras {
	if [[ ${1-} == mirror ]]; then
		shift
		ORAS_MIRROR_NAME="oras mirror" command oras-mirror "$@"
	else
		command oras "$@"
	fi
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
	declare -F __start_oras >/dev/null && __start_oras "$@"
	[[ ${#words[@]} -eq 2 && mirror == "${words[1]}"* ]] && COMPREPLY+=(mirror)
}

complete -o default -F _oras_mirror_oras oras
