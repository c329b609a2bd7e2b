#!/usr/bin/perl
# Prints a line for each packet of this network namespace that is from, to, or (in an ICMP error) about an address and port.
#   watch-packets.pl ADDRESS PORT     port 0: any; prints "ready" first
# A line: in|out INTERFACE, then tcp FLAGS | udp | sctp | icmp TYPE CODE [about PROTOCOL] | other
use strict;
use warnings;
use Socket qw(AF_INET AF_INET6 SOCK_DGRAM SOL_SOCKET SO_RCVBUF inet_pton);

use constant {AF_PACKET => 17, ETH_P_ALL => 3, ETH_P_IP => 0x800, ETH_P_IPV6 => 0x86dd, OUTGOING => 4};
use constant {ICMP => 1, TCP => 6, UDP => 17, ICMPV6 => 58, SCTP => 132};

$| = 1;
my ($address, $port) = @ARGV;
my $wanted = inet_pton($address =~ /:/ ? AF_INET6 : AF_INET, $address) // die "no address: $address\n";
socket my $socket, AF_PACKET, SOCK_DGRAM, unpack('S', pack 'n', ETH_P_ALL) or die "no packet socket: $!\n";
setsockopt $socket, SOL_SOCKET, SO_RCVBUF, 1 << 21;
print "ready\n";
while (defined(my $from = recv $socket, my $packet, 65535, 0)) {
    # struct sockaddr_ll: family, protocol, interface, hardware type, packet type.
    my (undef, $protocol, $interface, undef, $kind) = unpack 'S n l S C', $from;
    my $read = $protocol == ETH_P_IP ? read_ip4($packet) : $protocol == ETH_P_IPV6 ? read_ip6($packet) : undef;
    next unless $read && concerns($read);
    my $way = $kind == OUTGOING ? 'out' : 'in';
    print "$way $interface ", describe($read), "\n";
}

sub read_ip4 {
    my ($packet) = @_;
    return if length $packet < 20;
    return payload(ord(substr $packet, 9, 1), substr($packet, 12, 4), substr($packet, 16, 4),
        substr $packet, 4 * (ord($packet) & 15));
}

sub read_ip6 {
    my ($packet) = @_;
    return if length $packet < 40;
    return payload(ord(substr $packet, 6, 1), substr($packet, 8, 16), substr($packet, 24, 16), substr $packet, 40);
}

sub payload {
    my ($protocol, $source, $target, $data) = @_;
    my %read = (protocol => $protocol, source => $source, target => $target, data => $data);
    @read{qw(from to)} = unpack 'nn', $data if length $data >= 4;
    # What an ICMP error is about follows eight bytes of its own.
    $read{about} = read_ip4(substr $data, 8) if $protocol == ICMP && length $data > 28 && ord($data) =~ /^(3|11|12)$/;
    $read{about} = read_ip6(substr $data, 8) if $protocol == ICMPV6 && length $data > 48 && ord($data) < 128;
    return \%read;
}

sub concerns {
    my ($read) = @_;
    return 1 if $read->{about} && concerns($read->{about});
    my $ports = $read->{protocol} != ICMP && $read->{protocol} != ICMPV6;
    my $matches = sub {
        my ($end, $number) = @_;
        return $read->{$end} eq $wanted && ($port == 0 || ($ports && ($read->{$number} // -1) == $port));
    };
    return $matches->('source', 'from') || $matches->('target', 'to');
}

sub describe {
    my ($read) = @_;
    my $protocol = $read->{protocol};
    if ($protocol == ICMP || $protocol == ICMPV6) {
        my $about = $read->{about} ? ' about ' . name_of($read->{about}{protocol}) : '';
        return sprintf 'icmp %d %d%s', unpack('CC', $read->{data}), $about;
    }
    return name_of($protocol) if $protocol != TCP;
    my $bits = length $read->{data} > 13 ? ord substr $read->{data}, 13, 1 : 0;
    return 'tcp ' . join '', map { $bits & (1 << $_->[0]) ? $_->[1] : () } [1, 'S'], [4, 'A'], [2, 'R'], [0, 'F'];
}

sub name_of {
    my ($protocol) = @_;
    my %names = (TCP, 'tcp', UDP, 'udp', SCTP, 'sctp', ICMP, 'icmp', ICMPV6, 'icmp');
    return $names{$protocol} // 'other';
}
