
# oras passes "oras mirror" to oras-mirror, and everything else to oras as it is. The
# completion of oras calls it too, and removes ours if it is read later.
function oras
    if test "$argv[1]" = mirror
        ORAS_MIRROR_NAME='oras mirror' command oras-mirror $argv[2..-1]
    else if test "$argv[1]" = __complete; and not complete --command oras | string match --quiet '*__oras_mirror_follows*'
        __oras_mirror_answer $argv[2..-1]
    else
        command oras $argv
    end
end

# __oras_mirror_answer prints candidates as the completion of oras reads them: without the flag
# before "=", and then 0 for files and folders, 4 for neither.
function __oras_mirror_answer
    if test "$argv[1]" != mirror; or test (count $argv) -eq 1
        test (count $argv) -eq 1; and string match --quiet -- "$argv[1]*" mirror
        and printf 'mirror\tBack up, restore and sync many artifacts (oras-mirror)\n'
        command oras __complete $argv
        return
    end
    set -l directive 4
    for line in (command oras-mirror __complete $argv[2..-1] 2>/dev/null)
        if string match --quiet --regex '^:' -- $line
            set directive 0
        else
            string replace --regex -- '^--[^=\t]*=' '' $line
        end
    end
    echo ":$directive"
end

# __oras_mirror_follows succeeds behind "oras mirror".
function __oras_mirror_follows
    set -l words (commandline --tokenize --cut-at-cursor --current-process)
    test (count $words) -ge 2; and test "$words[2]" = mirror
end

# __oras_mirror_first succeeds at the first word behind "oras".
function __oras_mirror_first
    test (count (commandline --tokenize --cut-at-cursor --current-process)) -eq 1
end

# The completion of oras removes all others when it is loaded, so it is loaded first.
if type --query oras
    complete --do-complete 'oras ' >/dev/null 2>&1
end
complete --command oras --condition __oras_mirror_follows --no-files --arguments '(__oras_mirror)'
complete --command oras --condition __oras_mirror_first --no-files --arguments mirror --description 'Back up, restore and sync many artifacts (oras-mirror)'
