# bash completion for oras-mirror; made by "oras-mirror completion bash".
_oras_mirror() {
	local line=${COMP_LINE:0:COMP_POINT} word kind text
	local -a words
	# Not COMP_WORDS: bash splits them at : and =, which references contain.
	read -ra words <<<"$line"
	[[ $line == *[[:space:]] || ${#words[@]} -eq 0 ]] && words+=("")
	word=${words[${#words[@]} - 1]}
	[[ ${words[0]} == oras ]] && words=(oras-mirror "${words[@]:2}") # oras mirror
	COMPREPLY=()
	while IFS=$'\t' read -r text kind; do
		case $text in
		:files) _oras_mirror_paths "$word" -f ;;
		:folders) _oras_mirror_paths "$word" -d ;;
		*=) compopt -o nospace 2>/dev/null; _oras_mirror_add "$word" quoted <<<"$text" ;;
		*) _oras_mirror_add "$word" quoted <<<"$text" ;;
		esac
	done < <("${words[0]}" __complete "${words[@]:1}" 2>/dev/null)
}

# bash quotes the names of files, but not before version 4.
_oras_mirror_paths() {
	local path=${1#--*=} quoted=""
	compopt -o filenames 2>/dev/null || quoted=quoted
	_oras_mirror_add "$1" "$quoted" < <(compgen -P "${1%"$path"}" "$2" -- "$path")
}

# bash replaces only the text after the last : or = (if it breaks words there), so a
# candidate must be that part. It must be quoted: bash inserts a single candidate
# into the line, and the next Enter runs it.
_oras_mirror_add() {
	local before="" candidate
	[[ $COMP_WORDBREAKS == *:* && $COMP_WORDBREAKS == *=* ]] && before=${1%"${1##*[:=]}"}
	while IFS= read -r candidate; do
		candidate=${candidate#"$before"}
		[[ -n $2 ]] && printf -v candidate %q "$candidate"
		COMPREPLY+=("$candidate")
	done
}

complete -F _oras_mirror oras-mirror
