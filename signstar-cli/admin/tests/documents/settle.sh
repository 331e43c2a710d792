# The machines of a site, in namespaces of its own: $1 is an empty folder, $2 the tree, $3 a staged
# release. Each is this system, with everything that it changes in memory, and with empty /run, /tmp,
# /home and /root.
site=$1
mount -t tmpfs -o mode=0755 site "$site"
mkdir -m 1777 "$site/stick"
mkdir -m 0700 "$site/safe"
for machine in sources enclave builder reader; do
    for part in "$machine" "$machine.upper" "$machine.work"; do
        mkdir "$site/$part"
    done
    root=$site/$machine
    mount -t overlay -o "lowerdir=/,upperdir=$root.upper,workdir=$root.work" overlay "$root"
    mount -t proc proc "$root/proc"
    mount --rbind /dev "$root/dev"
    for empty in run tmp home root; do
        mount -t tmpfs -o mode=0755 empty "$root/$empty"
    done
    chmod 1777 "$root/tmp"
    mkdir -p "$root/media/stick" "$root/media/safe"
    mount --bind "$site/stick" "$root/media/stick"
    mount --bind "$site/safe" "$root/media/safe"
    echo "192.0.2.1 signstar.example.org" >> "$root/etc/hosts"
    if grep -q '^signer:' "$root/etc/passwd"; then
        echo "this machine has an account signer already" >&2
        exit 1
    fi
done
echo 'builder:x:7001:7001::/home/builder:/bin/bash' >> "$site/builder/etc/passwd"
echo 'builder:x:7001:' >> "$site/builder/etc/group"
install -d -o 7001 -g 7001 "$site/builder/home/builder"
# As the sshd for administrators leaves it.
mkdir "$site/enclave/run/sshd"
install -m 0755 "$2/signstar-cli/admin/tests/documents/systemctl.sh" "$site/enclave/usr/local/bin/systemctl"
mkdir "$site/sources/root/signstar" "$site/sources/srv/stage"
cp -r "$2/packaging" "$site/sources/root/signstar/"
mount --bind "$3" "$site/sources/srv/stage"
ip link set lo up
ip address add 192.0.2.1/24 dev lo
echo settled
exec cat > /dev/null
