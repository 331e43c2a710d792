# Completions of nethsm-cli for bash: the program itself says what may stand there. It asks no device.
_nethsm_cli() {
    local line=${COMP_LINE:0:COMP_POINT} word candidate begun=
    COMPREPLY=()
    local -a found
    mapfile -t found < <("${COMP_WORDS[0]}" __complete line "$line" 2>/dev/null)
    if [[ ${found[0]-} == :files ]]; then
        compopt -o default 2>/dev/null
        return
    fi
    # Readline completes from the last break on; what stands before it stays.
    word=${line##*[[:space:]]}
    local break
    for break in '=' ':' '@'; do
        [[ $COMP_WORDBREAKS == *"$break"* ]] || continue
        local upto=${word%"${word##*"$break"}"}
        [[ ${#upto} -gt ${#begun} ]] && begun=$upto
    done
    for candidate in "${found[@]}"; do
        candidate=${candidate%%$'\t'*}
        COMPREPLY+=("${candidate#"$begun"}")
    done
    # What ends like this goes on.
    [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == *[:=,] ]] && compopt -o nospace 2>/dev/null
}
complete -F _nethsm_cli nethsm-cli
