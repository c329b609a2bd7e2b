/** What iControl REST has below a kind with types: `ltm/monitor/http`, ... */
const below = (kind: string, types: string): string[] => types.split(' ').map((type) => `${kind}/${type}`);

/**
 * Kinds of which AS3 takes whatever is in a tenant's partition for its own, beside those that are compared (`KINDS`): with a
 * declaration it removes what it didn't make. By src/lib/paths.json of f5-appsvcs-extension, without gtm, pem, apm and asm,
 * whose objects hardly anybody has in another partition than Common. A device without a module or a type answers 404.
 */
export const PARTITION_KINDS: readonly string[] = [
  'ltm/node',
  'ltm/rule',
  'ltm/policy',
  'ltm/snatpool',
  'ltm/snat-translation',
  'ltm/ifile',
  ...below('ltm/cipher', 'group rule'),
  ...below('ltm/data-group', 'external internal'),
  ...below('ltm/dns', 'nameserver tsig-key zone'),
  ...below('ltm/dns/cache', 'resolver transparent validating-resolver'),
  ...below(
    'ltm/html-rule',
    'comment-raise-event comment-remove tag-append-html tag-prepend-html tag-raise-event tag-remove tag-remove-attribute',
  ),
  ...below(
    'ltm/monitor',
    'dns external ftp http2 https inband ldap mysql postgresql radius sip smtp tcp-half-open udp',
  ),
  ...below('ltm/persistence', 'cookie dest-addr hash msrdp sip ssl universal'),
  ...below(
    'ltm/profile',
    'analytics client-ldap client-ssl classification connector dns dns-logging fastl4 fix ftp html http http2 http-compression http-proxy-connect icap ipother json one-connect pptp radius request-adapt request-log response-adapt rewrite rtsp sctp server-ldap server-ssl service smtps socks splitsessionclient sse statistics stream tcp tcp-analytics tftp udp web-acceleration websocket',
  ),
  ...below('net', 'bwc/policy service-policy timer-policy'),
  ...below('security/firewall', 'address-list policy port-list rule-list'),
  ...below('security', 'log/profile nat/policy nat/source-translation'),
  ...below('sys/file', 'data-group external-monitor ifile ssl-cert ssl-key'),
  ...below('sys/icall', 'handler/periodic script'),
  ...below('sys/log-config', 'publisher'),
  ...below('sys/log-config/destination', 'management-port remote-high-speed-log remote-syslog splunk'),
];
