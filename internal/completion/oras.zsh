
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
	if [[ ${words[1]} == oras && ${words[2]} == mirror ]] && (( CURRENT > 2 )); then
		words=(oras-mirror "${(@)words[3,-1]}")
		(( CURRENT-- ))
		_oras_mirror
		return
	fi
	(( CURRENT == 2 )) && compadd mirror
	if (( $+functions[_oras] )); then
		_oras "$@"
		compdef _oras_mirror_oras oras # which the script of oras takes when it is loaded
	fi
}

compdef _oras_mirror_oras oras
