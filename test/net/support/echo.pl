#!/usr/bin/perl
# Sends one ICMP echo request, and waits for nothing.
#   echo.pl ADDRESS
use strict;
use warnings;
use Socket qw(AF_INET AF_INET6 SOCK_RAW inet_pton pack_sockaddr_in pack_sockaddr_in6);

use constant {ICMP => 1, ICMPV6 => 58, REQUEST => 8, REQUEST_V6 => 128, ID => 7};

my ($address) = @ARGV;
my $v6 = $address =~ /:/;
my $packed = inet_pton($v6 ? AF_INET6 : AF_INET, $address) // die "no address: $address\n";
socket my $socket, $v6 ? AF_INET6 : AF_INET, SOCK_RAW, $v6 ? ICMPV6 : ICMP or die "no raw socket: $!\n";
# The kernel counts the checksum of ICMPv6, and of ICMP not (RFC 1071).
my $sum = $v6 ? 0 : ~((REQUEST << 8) + ID + 1) & 0xffff;
my $packet = pack 'CCnnn', $v6 ? REQUEST_V6 : REQUEST, 0, $sum, ID, 1;
send $socket, $packet, 0, $v6 ? pack_sockaddr_in6(0, $packed) : pack_sockaddr_in(0, $packed) or die "not sent: $!\n";
