#compdef oras-mirror
# zsh completion for oras-mirror; made by "oras-mirror completion zsh".
_oras_mirror() {
	local text kind before=""
	local -a candidates shown
	[[ ${words[CURRENT]} == --*=* ]] && before=${words[CURRENT]%%=*}=
	while IFS=$'\t' read -r text kind; do
		case $text in
		:files) [[ -n $before ]] && compset -P '*='; _files ;;
		:folders) [[ -n $before ]] && compset -P '*='; _files -/ ;;
		*) candidates+=("$text"); shown+=("$text${kind:+  -- $kind}") ;;
		esac
	done < <("${words[1]}" __complete "${(@)words[2,CURRENT]}" 2>/dev/null)
	(( $#candidates )) && compadd -l -d shown -a candidates
}

if [[ $zsh_eval_context[-1] == loadautofunc ]]; then
	_oras_mirror "$@"
else
	compdef _oras_mirror oras-mirror
fi
