# Makes system calls by number, each in a child of its own, and tells how the child ended.
#
# Arguments: the numbers of prctl, seccomp and exit_group, and a seccomp program in hexadecimal
# ("none": no filter). Each line of standard input is a script: system calls separated by
# semicolons, each a number and its arguments. The last one is made under the filter. An argument
# is a number, `last` (what the call before returned), `text:…` (a pointer to it) or `room:N` (a
# pointer to so many zero bytes). A script `code:HEX` runs machine code under the filter.
#
# Answers, one line each: the wait status. A child that lives ends with the errno, or with 0.

use strict;
use warnings;

my ($prctl, $seccomp, $exit_group, $hex) = @ARGV;
my $program = $hex eq 'none' ? '' : pack 'H*', $hex;
# struct sock_fprog: the number of instructions, of 8 bytes each, and a pointer to them.
my $fprog = pack 'S x6 P', length($program) / 8, $program;
$| = 1;

sub leave { syscall 0 + $exit_group, 0 + $_[0] }

sub confine {
    return if $program eq '';
    leave(250) if syscall(0 + $prctl, 38, 1, 0, 0, 0) != 0;
    leave(251) if syscall(0 + $seccomp, 1, 0, $fprog) != 0;
}

sub arguments {
    my ($last, @words) = @_;
    return map {
          $_ eq 'last'      ? 0 + $last
        : /^text:(.*)$/     ? "$1\0"
        : /^room:([0-9]+)$/ ? "\0" x $1
        :                     0 + $_
    } @words;
}

sub run_script {
    my @calls = map { [split ' ', $_] } split /;/, $_[0];
    my $final = pop @calls;
    my $last = 0;
    for my $call (@calls) {
        my ($number, @rest) = arguments($last, @$call);
        $last = syscall($number, @rest);
        leave(252) if $last == -1;
    }
    my ($number, @rest) = arguments($last, @$final);
    confine();
    my $result = syscall($number, @rest);
    leave($result == -1 ? $! + 0 : 0);
}

sub run_code {
    my $code = pack 'H*', $_[0];
    require DynaLoader;
    # x86_64: mmap, with every permission, filled through a pipe.
    my $page = syscall 9, 0, 4096, 7, 0x22, -1, 0;
    leave(253) if $page == -1;
    pipe my $from, my $to or leave(253);
    syswrite $to, $code;
    leave(253) if syscall(0, fileno($from), $page, length $code) != length $code;
    my $call = DynaLoader::dl_install_xsub('main::machine_code', $page);
    confine();
    &$call();
    leave(0);
}

while (my $script = <STDIN>) {
    chomp $script;
    my $child = fork;
    die "fork: $!" unless defined $child;
    if ($child == 0) {
        $script =~ /^code:([0-9a-f]+)$/ ? run_code($1) : run_script($script);
    }
    waitpid $child, 0;
    print "$?\n";
}
