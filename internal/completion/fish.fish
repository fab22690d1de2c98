# fish completion for oras-mirror; made by "oras-mirror completion fish".
function __oras_mirror
    set -l words (commandline --tokenize --cut-at-cursor --current-process)
    set -l word (commandline --current-token --cut-at-cursor)
    test "$words[1]" = oras; and set words oras-mirror $words[3..-1] # oras mirror
    for line in ($words[1] __complete $words[2..-1] "$word" 2>/dev/null)
        set -l before (string match --regex -- '^--[^=]*=' "$word")
        set -l begun (string replace --regex -- '^--[^=]*=' '' "$word")
        switch (string split --max 1 \t -- $line)[1]
            case ':files'
                for path in (__fish_complete_path $begun)
                    echo "$before$path"
                end
            case ':folders'
                for path in (__fish_complete_directories $begun '')
                    echo "$before$path"
                end
            case '*'
                echo $line
        end
    end
end

complete --command oras-mirror --no-files --arguments '(__oras_mirror)'
