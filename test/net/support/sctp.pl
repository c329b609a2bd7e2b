#!/usr/bin/perl
# Enough of SCTP (RFC 9260) to see who answers an INIT, on raw sockets, since a kernel need not have SCTP.
#   sctp.pl listen PORT NAME              answers INITs with an INIT ACK that carries "NAME CLIENT"; prints a line when ready
#   sctp.pl dial ADDRESS PORT SECONDS     prints what the INIT ACK carries, "refused", or nothing
use strict;
use warnings;
use Socket qw(AF_INET AF_INET6 SOCK_RAW SOCK_DGRAM inet_pton inet_ntop pack_sockaddr_in pack_sockaddr_in6
  unpack_sockaddr_in unpack_sockaddr_in6 sockaddr_family);

use constant {SCTP => 132, INIT_CHUNK => 1, INIT_ACK => 2, COOKIE => 7, COOKIE_AT => 20};

$| = 1;
my ($mode, @rest) = @ARGV;
$mode eq 'listen' ? serve(@rest) : dial(@rest);

sub crc32c {
    my ($data) = @_;
    my $crc = 0xffffffff;
    for my $byte (unpack 'C*', $data) {
        $crc ^= $byte;
        $crc = $crc & 1 ? ($crc >> 1) ^ 0x82f63b78 : $crc >> 1 for 1 .. 8;
    }
    return $crc ^ 0xffffffff;
}

# An INIT or INIT ACK with a cookie: the common header, a chunk, one parameter.
sub packet {
    my ($from, $to, $tag, $type, $cookie) = @_;
    my $parameter = pack('nn', COOKIE, 4 + length $cookie) . $cookie;
    my $chunk = pack('CCnNNnnN', $type, 0, 20 + length $parameter, 7, 65536, 1, 1, 7) . $parameter;
    $chunk .= "\0" x (-length($chunk) % 4);
    my $header = pack 'nnN', $from, $to, $tag;
    return $header . pack('V', crc32c($header . "\0\0\0\0" . $chunk)) . $chunk;
}

sub raw {
    my ($family) = @_;
    socket my $socket, $family, SOCK_RAW, SCTP or die "no raw socket: $!\n";
    return $socket;
}

# What follows the IP header, which only an IPv4 socket hands over; and the sender.
sub receive {
    my ($socket, $family) = @_;
    my $sender = recv $socket, my $data, 65535, 0;
    return unless defined $sender && length $data;
    $data = substr $data, 4 * (ord($data) & 15) if $family == AF_INET;
    return ($data, $sender);
}

sub text_of {
    my ($address) = @_;
    return sockaddr_family($address) == AF_INET
      ? inet_ntop(AF_INET, (unpack_sockaddr_in $address)[1])
      : inet_ntop(AF_INET6, (unpack_sockaddr_in6 $address)[1]);
}

sub serve {
    my ($port, $name) = @_;
    my %sockets = map { $_ => raw($_) } AF_INET, AF_INET6;
    print "ready\n";
    while (1) {
        my $readable = '';
        vec($readable, fileno $_, 1) = 1 for values %sockets;
        next if select($readable, undef, undef, undef) <= 0;
        for my $family (keys %sockets) {
            my $socket = $sockets{$family};
            next unless vec $readable, fileno $socket, 1;
            my ($data, $sender) = receive($socket, $family) or next;
            my ($from, $to, undef, undef, $type) = unpack 'nnNNC', $data;
            next unless $to == $port && $type == INIT_CHUNK;
            my $tag = unpack 'N', substr $data, 16, 4;
            send $socket, packet($port, $from, $tag, INIT_ACK, "$name " . text_of($sender)), 0, $sender;
        }
    }
}

sub dial {
    my ($address, $port, $seconds) = @_;
    my $family = $address =~ /:/ ? AF_INET6 : AF_INET;
    my $packed = inet_pton $family, $address;
    my $target = $family == AF_INET ? pack_sockaddr_in(0, $packed) : pack_sockaddr_in6(0, $packed);
    my $socket = raw($family);
    # Connected, so that ICMP errors come to us.
    connect $socket, $target or die "can't reach $address: $!\n";
    my $own = 20000 + $$ % 20000;
    send $socket, packet($own, $port, 0, INIT_CHUNK, 'x'), 0 or return refused();
    $SIG{ALRM} = sub { exit 0 };
    alarm int($seconds + 0.999);
    while (1) {
        my ($data) = receive($socket, $family);
        return refused() if !defined $data && $!{ECONNREFUSED};
        next unless defined $data;
        my ($from, $to, undef, undef, $type) = unpack 'nnNNC', $data;
        next unless $from == $port && $to == $own && $type == INIT_ACK;
        my $length = unpack 'n', substr $data, 12 + COOKIE_AT + 2, 2;
        print substr($data, 12 + COOKIE_AT + 4, $length - 4), "\n";
        return;
    }
}

sub refused {
    print "refused\n";
}
