# Deletes entries of connection tracking, each by its own key: conntrack -D reads the whole table to find what it deletes.
# One line of input for each: <protocol number> <source> <destination> <source port> <destination port> <id>.
# Prints how many of them were there. Perl, since perl-base is on every Debian, and Node speaks no netlink.
use strict;
use warnings;
use Socket qw(inet_pton AF_INET AF_INET6 SOCK_RAW);

use constant { AF_NETLINK => 16, NETLINK_NETFILTER => 12, REQUEST_AND_ACK => 0x5, NLMSG_ERROR => 2, NO_ENTRY => 2 };
# linux/netfilter/nfnetlink_conntrack.h
use constant { DELETE => 0x0102, NESTED => 0x8000, TUPLE_ORIG => 1, TUPLE_IP => 1, TUPLE_PROTO => 2, ID => 12 };

sub attribute {
    my ($type, $value) = @_;
    my $padding = "\0" x (-length($value) % 4);
    return pack('S S', 4 + length $value, $type) . $value . $padding;
}

sub nested { my ($type, @inner) = @_; return attribute($type | NESTED, join '', @inner) }

socket(my $socket, AF_NETLINK, SOCK_RAW, NETLINK_NETFILTER) or die "netlink socket: $!\n";
bind($socket, pack('S S L L', AF_NETLINK, 0, 0, 0)) or die "netlink socket: $!\n";

my ($sequence, $deleted) = (0, 0);
while (my $line = <STDIN>) {
    my ($protocol, $source, $destination, $source_port, $port, $id) = split ' ', $line;
    next unless defined $id;
    my $family = $source =~ /:/ ? AF_INET6 : AF_INET;
    my $first = $family == AF_INET6 ? 3 : 1;
    my @ends = map { inet_pton($family, $_) // die "not an address: $_\n" } $source, $destination;
    my $message = pack('C C n', $family, 0, 0)
        . nested(TUPLE_ORIG,
            nested(TUPLE_IP, attribute($first, $ends[0]), attribute($first + 1, $ends[1])),
            nested(TUPLE_PROTO, attribute(1, pack 'C', $protocol), attribute(2, pack 'n', $source_port),
                attribute(3, pack 'n', $port)))
        . attribute(ID, pack 'N', $id);
    $sequence++;
    send($socket, pack('L S S L L', 16 + length $message, DELETE, REQUEST_AND_ACK, $sequence, 0) . $message, 0)
        // die "not sent: $!\n";
    my $error = answer($sequence);
    if ($error == 0) { $deleted++ }
    # It ended by itself, or another one is in its place.
    elsif ($error != NO_ENTRY) { local $! = $error; die "not deleted: $!\n" }
}
print "$deleted\n";

sub answer {
    my ($wanted) = @_;
    while (defined recv $socket, my $answer, 65536, 0) {
        my (undef, $type, undef, $number, undef, $error) = unpack 'L S S L L l', $answer;
        return -$error if $type == NLMSG_ERROR && $number == $wanted;
    }
    die "no answer: $!\n";
}
