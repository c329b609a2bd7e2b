# Binds each place that is named on a line of stdin ("ADDRESS PORT") as HAProxy does, without listening, and lets it go
# again: what is printed are those that can't be had, with the reason.
use strict;
use warnings;
use Socket qw(:all);
use constant { IP_FREEBIND => 15, IPV6_FREEBIND => 78, SOL_IPV6 => 41, SO_REUSEPORT_ => 15 };

while (my $line = <STDIN>) {
    chomp $line;
    my ($address, $port) = split / /, $line;
    my $six = $address =~ /:/;
    my $family = $six ? AF_INET6 : AF_INET;
    my $raw = inet_pton($family, $address);
    my $where = $six ? pack_sockaddr_in6($port, $raw) : pack_sockaddr_in($port, $raw);
    if (!socket(my $socket, $family, SOCK_STREAM, 0)) {
        print "$line $!\n";
    } else {
        setsockopt($socket, SOL_SOCKET, SO_REUSEADDR, 1);
        setsockopt($socket, SOL_SOCKET, SO_REUSEPORT_, 1);
        $six ? setsockopt($socket, SOL_IPV6, IPV6_FREEBIND, 1) : setsockopt($socket, IPPROTO_IP, IP_FREEBIND, 1);
        bind($socket, $where) or print "$line $!\n";
    }
}
