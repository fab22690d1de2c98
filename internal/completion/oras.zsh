# _oras_mirror_oras completes "oras mirror", and by the completion of oras everything else.
_oras_mirror_oras() {
	if [[ ${words[1]} == oras && ${words[2]} == mirror ]] && (( CURRENT > 2 )); then
		words=(oras-mirror "${(@)words[3,-1]}")
		(( CURRENT-- ))
		_oras_mirror
		return
	fi
	if (( $+functions[_oras] )); then
		_oras "$@"
		compdef _oras_mirror_oras oras # which the script of oras takes when it is loaded
	elif (( CURRENT == 2 )); then
		compadd mirror
	fi
}

compdef _oras_mirror_oras oras
