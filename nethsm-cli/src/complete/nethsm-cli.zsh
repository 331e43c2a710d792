#compdef nethsm-cli
# Completions of nethsm-cli for zsh: the program itself says what may stand there. It asks no device.
_nethsm-cli() {
    local -a lines values shown
    local line
    lines=("${(@f)$("${words[1]}" __complete words "${(@Q)words[1,CURRENT-1]}" "${(Q)PREFIX}" 2>/dev/null)}")
    if [[ ${lines[1]} == :files ]]; then
        [[ $PREFIX == --*=* ]] && compset -P '*='
        [[ $PREFIX == file:* ]] && compset -P 'file:'
        _files
        return
    fi
    for line in "${lines[@]}"; do
        [[ -n $line ]] || continue
        values+=("${line%%$'\t'*}")
        if [[ $line == *$'\t'* ]]; then
            shown+=("${line%%$'\t'*}  -- ${line#*$'\t'}")
        else
            shown+=("$line")
        fi
    done
    (( $#values )) || return 1
    # What ends like this goes on.
    if [[ $#values -eq 1 && $values[1] == *[:=,] ]]; then
        compadd -S '' -- "${values[@]}"
    else
        compadd -l -d shown -- "${values[@]}"
    fi
}
if [[ ${funcstack[1]} == _nethsm-cli ]]; then
    _nethsm-cli "$@"
else
    compdef _nethsm-cli nethsm-cli
fi
