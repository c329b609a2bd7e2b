#!/usr/bin/perl
# Sends a TCP caller a segment far out of its window, as from the server whose namespace this runs in: waits for data of the
# caller, and once all is quiet sends what would be of another time. Prints "ready" first; fails when no data comes in time.
#   stray-segment.pl OWN_PORT CALLER CALLER_PORT SECONDS
use strict;
use warnings;
use Socket qw(AF_INET AF_INET6 SOCK_DGRAM SOCK_RAW inet_pton inet_ntop pack_sockaddr_in pack_sockaddr_in6);

use constant {AF_PACKET => 17, ETH_P_ALL => 3, ETH_P_IP => 0x800, ETH_P_IPV6 => 0x86dd, TCP => 6};
use constant {IPPROTO_IPV6 => 41, IPV6_CHECKSUM => 7, CHECKSUM_AT => 16, ACK => 0x10, FAR => 0x40000000};

my ($own_port, $caller, $caller_port, $seconds) = @ARGV;
my $family = $caller =~ /:/ ? AF_INET6 : AF_INET;
my $wanted = inet_pton($family, $caller) // die "no address: $caller\n";
$SIG{ALRM} = sub { die "the caller sent no data\n" };
alarm $seconds;

socket my $seen, AF_PACKET, SOCK_DGRAM, unpack('S', pack 'n', ETH_P_ALL) or die "no packet socket: $!\n";
$| = 1;
print "ready\n";
while (defined(my $from = recv $seen, my $packet, 65535, 0)) {
    my (undef, $protocol) = unpack 'S n', $from;
    my ($source, $target, $segment) = $protocol == ETH_P_IP ? read_ip4($packet) : read_ip6($packet);
    next unless defined $source && $source eq $wanted;
    my ($from_port, $to_port, $sequence, $acknowledged, $offset) = unpack 'nnNNC', $segment;
    my $data = length($segment) - 4 * ($offset >> 4);
    next unless $from_port == $caller_port && $to_port == $own_port && $data > 0;
    # A reset counts only if it fits what the server expects next.
    select undef, undef, undef, 0.2;
    send_stray($target, ($acknowledged + FAR) & 0xffffffff, ($sequence + $data) & 0xffffffff);
    exit 0;
}

sub read_ip4 {
    my ($packet) = @_;
    return if length $packet < 40 || ord(substr $packet, 9, 1) != TCP;
    my $header = 4 * (ord($packet) & 15);
    return (substr($packet, 12, 4), substr($packet, 16, 4),
        substr $packet, $header, unpack('n', substr $packet, 2, 2) - $header);
}

sub read_ip6 {
    my ($packet) = @_;
    return if length $packet < 60 || ord(substr $packet, 6, 1) != TCP;
    return (substr($packet, 8, 16), substr($packet, 24, 16), substr $packet, 40, unpack 'n', substr $packet, 4, 2);
}

sub send_stray {
    my ($own, $sequence, $acknowledged) = @_;
    my $segment = pack 'nnNNCCnnn', $own_port, $caller_port, $sequence, $acknowledged, 5 << 4, ACK, 1024, 0, 0;
    socket my $raw, $family, SOCK_RAW, TCP or die "no raw socket: $!\n";
    if ($family == AF_INET6) {
        setsockopt $raw, IPPROTO_IPV6, IPV6_CHECKSUM, pack 'i', CHECKSUM_AT or die "no checksums: $!\n";
        bind $raw, pack_sockaddr_in6(0, $own) or die "not of here: $!\n";
        send $raw, $segment, 0, pack_sockaddr_in6(0, $wanted) or die "not sent: $!\n";
        return;
    }
    my $sum = checksum($own . $wanted . pack('nn', TCP, length $segment) . $segment);
    substr $segment, CHECKSUM_AT, 2, pack 'n', $sum;
    bind $raw, pack_sockaddr_in(0, $own) or die "not of here: $!\n";
    send $raw, $segment, 0, pack_sockaddr_in(0, $wanted) or die "not sent: $!\n";
}

# RFC 1071.
sub checksum {
    my ($data) = @_;
    my $sum = unpack '%32n*', $data;
    $sum = ($sum & 0xffff) + ($sum >> 16) for 1 .. 2;
    return ~$sum & 0xffff;
}
