# Completions of nethsm-cli for fish: the program itself says what may stand there. It asks no device.
function __nethsm_cli_complete
    set -l before (commandline --tokenize --cut-at-cursor --current-process)
    set -l word (commandline --cut-at-cursor --current-token)
    set -l found ($before[1] __complete words $before "$word" 2>/dev/null)
    if test "$found[1]" = ':files'
        set -l name (string replace --regex -- '^(--[^=]*=)?(file:)?' '' "$word")
        set -l begun (string sub --length (math (string length -- "$word") - (string length -- "$name")) -- "$word")
        for path in (__fish_complete_path "$name")
            echo -- $begun$path
        end
        return
    end
    for line in $found
        echo -- $line
    end
end
complete --command nethsm-cli --no-files --arguments '(__nethsm_cli_complete)'
