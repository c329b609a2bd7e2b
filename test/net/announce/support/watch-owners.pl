# Asks for addresses on an interface, over and over, and tells who answers. Usage:
#   perl watch-owners.pl <device> <ifindex> <own mac> <own ipv4> <own ipv6> <interval in ms> <address>...
# One line of output for each answer or announcement: <monotonic ms> <kind> <address> <mac>
#   ask       a round of questions was sent (address and mac are -)
#   answer    somebody answered us
#   announce  gratuitous ARP, or an unsolicited neighbour advertisement with the override flag
use strict;
use warnings;
use Socket qw(inet_pton inet_ntop AF_INET AF_INET6 SOCK_RAW);
use POSIX ();

my ($device, $ifindex, $mac, $own4, $own6, $interval, @addresses) = @ARGV;
my $hardware = pack('H12', join '', split /:/, $mac);
my $broadcast = "\xff" x 6;
$| = 1;

socket(my $socket, 17, SOCK_RAW, unpack('S', pack('n', 3))) or die "packet socket: $!\n";
# A thousand answers may come at once: SO_RCVBUFFORCE.
setsockopt($socket, 1, 33, 16 << 20) or die "setsockopt: $!\n";
bind($socket, pack('S n i S C C a8', 17, 3, $ifindex, 0, 0, 0, '')) or die "bind: $!\n";

# syscall clock_gettime(CLOCK_MONOTONIC) without Time::HiRes, which perl-base lacks on some machines.
sub now { my $t = "\0" x 16; syscall($ENV{CLOCK_GETTIME} + 0, 1, $t); my ($s, $n) = unpack('q q', $t); return $s * 1000 + $n / 1e6 }

sub checksum {
    my $sum = unpack('%32n*', $_[0]);
    $sum = ($sum >> 16) + ($sum & 0xffff) while $sum >> 16;
    return ~$sum & 0xffff;
}

sub question {
    my ($address) = @_;
    if (my $ip = inet_pton(AF_INET, $address)) {
        return $broadcast . $hardware . pack('n n n C C n', 0x0806, 1, 0x0800, 6, 4, 1) . $hardware . inet_pton(AF_INET, $own4) . "\0" x 6 . $ip;
    }
    my ($target, $source) = (inet_pton(AF_INET6, $address), inet_pton(AF_INET6, $own6));
    my $group = inet_pton(AF_INET6, 'ff02::1:ff00:0');
    substr($group, 13, 3) = substr($target, 13, 3);
    my $body = sub { pack('C C n N', 135, 0, $_[0], 0) . $target . pack('C C', 1, 1) . $hardware };
    my $icmp = $body->(checksum($source . $group . pack('N N', 32, 58) . $body->(0)));
    return "\x33\x33" . substr($group, 12, 4) . $hardware . pack('n', 0x86dd) . pack('N n C C', 0x60000000, length $icmp, 58, 255) . $source . $group . $icmp;
}

sub hex_mac { return join ':', unpack('(H2)6', $_[0]) }

sub report {
    my ($frame) = @_;
    my ($to, $from, $type) = unpack('a6 a6 n', $frame);
    return if $from eq $hardware;
    if ($type == 0x0806) {
        my ($operation, $sender, $sender_ip, undef, $target_ip) = unpack('x20 n a6 a4 a6 a4', $frame);
        my $kind = $sender_ip eq $target_ip ? "announce$operation" : $operation == 2 ? 'answer' : return;
        printf "%.1f %s %s %s\n", now(), $kind, inet_ntop(AF_INET, $sender_ip), hex_mac($sender);
    } elsif ($type == 0x86dd) {
        return if length($frame) < 86;
        my ($next, $hops, undef, undef, $icmp_type, undef, undef, $flags, $target) = unpack('x20 C C a16 a16 C C n N a16', $frame);
        return unless $next == 58 && $icmp_type == 136;
        my $kind = $flags & 0x40000000 ? 'answer' : $flags & 0x20000000 ? 'announce' : 'advertise';
        printf "%.1f %s %s %s\n", now(), $kind, inet_ntop(AF_INET6, $target), hex_mac(substr($frame, 80, 6));
    }
}

# Many addresses are asked for in portions, spread over the interval.
my $portion = 50;
my $step = @addresses > $portion ? $interval * $portion / @addresses : $interval;
my ($due, $next) = (now(), 0);
while (1) {
    if (now() >= $due) {
        printf "%.1f ask - -\n", now();
        for (1 .. ($portion < @addresses ? $portion : @addresses)) {
            send($socket, question($addresses[$next]), 0);
            $next = ($next + 1) % @addresses;
        }
        $due += $step;
    }
    my $ready = '';
    vec($ready, fileno($socket), 1) = 1;
    my $rest = ($due - now()) / 1000;
    if (select($ready, undef, undef, $rest > 0 ? $rest : 0) > 0) {
        my $length = sysread($socket, my $frame, 2048);
        report($frame) if $length;
    }
}
