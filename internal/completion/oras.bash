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
