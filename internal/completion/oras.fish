
# oras passes "oras mirror" to oras-mirror, and everything else to oras as it is.
function oras
    if test "$argv[1]" = mirror
        ORAS_MIRROR_NAME='oras mirror' command oras-mirror $argv[2..-1]
    else
        command oras $argv
    end
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
