# Announces addresses to the neighbours of an interface. One line of input for each: <ifindex> <mac> <address>. An empty line
# ends a round, and is answered with one when all frames of it are sent.
# IPv4: gratuitous ARP, as a request and as a reply (RFC 5227 section 3): some caches heed only the one, some the other.
# IPv6: an unsolicited neighbour advertisement to all nodes, override flag set (RFC 4861 section 7.2.6).
# Perl, since perl-base is on every Debian, and neither Node nor any tool there can send an advertisement.
use strict;
use warnings;
use Socket qw(inet_pton AF_INET AF_INET6 SOCK_RAW);

use constant { AF_PACKET => 17, ETH_ARP => 0x0806, ETH_IPV6 => 0x86dd };

socket(my $socket, AF_PACKET, SOCK_RAW, 0) or die "packet socket: $!\n";

sub transmit {
    my ($ifindex, $frame) = @_;
    # struct sockaddr_ll: family, protocol, ifindex, hatype, pkttype, halen, addr
    my $to = pack('S n i S C C a8', AF_PACKET, 0, $ifindex, 0, 0, 6, substr($frame, 0, 6));
    send($socket, $frame, 0, $to) or warn "interface $ifindex: $!\n";
}

sub arp {
    my ($operation, $mac, $ip) = @_;
    my $broadcast = "\xff" x 6;
    my $target = $operation == 1 ? "\0" x 6 : $broadcast;
    return $broadcast . $mac . pack('n n n C C n', ETH_ARP, 1, 0x0800, 6, 4, $operation) . $mac . $ip . $target . $ip;
}

sub checksum {
    my ($data) = @_;
    my $sum = unpack('%32n*', $data);
    $sum = ($sum >> 16) + ($sum & 0xffff) while $sum >> 16;
    return ~$sum & 0xffff;
}

sub advertisement {
    my ($mac, $ip) = @_;
    my $all_nodes = inet_pton(AF_INET6, 'ff02::1');
    my $body = sub { pack('C C n N', 136, 0, $_[0], 0x20000000) . $ip . pack('C C', 2, 1) . $mac };
    my $pseudo = $ip . $all_nodes . pack('N N', 32, 58);
    my $icmp = $body->(checksum($pseudo . $body->(0)));
    return "\x33\x33\0\0\0\x01" . $mac . pack('n', ETH_IPV6) . pack('N n C C', 0x60000000, length $icmp, 58, 255)
        . $ip . $all_nodes . $icmp;
}

$| = 1;
while (my $line = <STDIN>) {
    my ($ifindex, $mac, $address) = split ' ', $line;
    unless (defined $address) {
        print "\n";
        next;
    }
    my $hardware = pack('H12', join '', split /:/, $mac);
    if (defined(my $ip = inet_pton(AF_INET, $address))) {
        transmit($ifindex, arp($_, $hardware, $ip)) for 1, 2;
    } elsif (defined(my $ip6 = inet_pton(AF_INET6, $address))) {
        transmit($ifindex, advertisement($hardware, $ip6));
    } else {
        warn "not an address: $address\n";
    }
}
