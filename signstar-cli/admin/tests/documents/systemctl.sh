#!/bin/sh
# systemctl for a machine whose first process is not systemd: it does with the units of Signstar what
# systemd would, by the units' own lines. What it does not know is an error.
set -eu
units=/usr/lib/systemd/system
log=/var/log/signstar-units.log

# The value of the setting $2 of the unit $1.
setting() {
    sed -n "s/^$2=-\{0,1\}//p" "$units/$1"
}

start() {
    case $1 in
    signstar-hostkey.service)
        unless=$(setting "$1" ConditionPathExists)
        [ -e "${unless#!}" ] || (umask "$(setting "$1" UMask)" && eval "$(setting "$1" ExecStart)")
        ;;
    signstar-sshd.socket)
        for wanted in $(setting "$1" Wants); do start "$wanted"; done
        mkdir -p "/run/$(setting signstar-sshd@.service RuntimeDirectory)"
        port=$(setting "$1" ListenStream)
        # shellcheck disable=SC2046
        setsid systemd-socket-activate --accept --inetd --listen "$port" \
            $(setting signstar-sshd@.service ExecStart) < /dev/null >> "$log" 2>&1 &
        echo $! > /run/signstar-sshd.pid
        tries=0
        until grep -q "Listening on" "$log"; do
            tries=$((tries + 1))
            [ "$tries" -lt 600 ]
            sleep 0.1
        done
        ;;
    *)
        echo "systemctl: no $1 here" >&2
        exit 5
        ;;
    esac
}

stop() {
    [ "$1" = signstar-sshd.socket ]
    kill "$(cat /run/signstar-sshd.pid)"
    rm -f "$log"
}

case $* in
"start "*) start "$2" ;;
"stop "*) stop "$2" ;;
# Nobody here has read a unit before.
daemon-reload) ;;
"enable --now "*)
    # This part needs no systemd.
    /usr/bin/systemctl --quiet enable "$3"
    start "$3"
    ;;
*)
    echo "systemctl: $* is not done here" >&2
    exit 1
    ;;
esac
