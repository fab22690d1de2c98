# bash completion for oras-mirror; made by "oras-mirror completion bash".
_oras_mirror() {
	local line=${COMP_LINE:0:COMP_POINT} word kind text
	local -a words
	# Not COMP_WORDS: they are split at : and =, which references are full of.
	read -ra words <<<"$line"
	[[ $line == *[[:space:]] || ${#words[@]} -eq 0 ]] && words+=("")
	word=${words[${#words[@]} - 1]}
	COMPREPLY=()
	while IFS=$'\t' read -r text kind; do
		case $text in
		:files) compopt -o filenames 2>/dev/null; _oras_mirror_add "$word" < <(compgen -f -- "${word#--*=}") ;;
		:folders) compopt -o filenames 2>/dev/null; _oras_mirror_add "$word" < <(compgen -d -- "${word#--*=}") ;;
		*=) compopt -o nospace 2>/dev/null; _oras_mirror_add "$word" <<<"$text" ;;
		*) _oras_mirror_add "$word" <<<"$text" ;;
		esac
	done < <("${words[0]}" __complete "${words[@]:1}" 2>/dev/null)
}

# bash replaces what stands behind the last : or = (if it breaks words there), so
# only that may be offered.
_oras_mirror_add() {
	local before="" candidate
	[[ $COMP_WORDBREAKS == *:* && $COMP_WORDBREAKS == *=* ]] && before=${1%"${1##*[:=]}"}
	while IFS= read -r candidate; do
		COMPREPLY+=("${candidate#"$before"}")
	done
}

complete -F _oras_mirror oras-mirror
