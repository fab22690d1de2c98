
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

