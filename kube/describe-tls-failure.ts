const UNKNOWN_AUTHORITY =
  "the server's certificate is of an authority that isn't among those it is verified by";

/** By code of Node and OpenSSL, whose own words are for programmers. */
const WORDS: Readonly<Record<string, string>> = {
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: UNKNOWN_AUTHORITY,
  UNABLE_TO_GET_ISSUER_CERT: UNKNOWN_AUTHORITY,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: UNKNOWN_AUTHORITY,
  SELF_SIGNED_CERT_IN_CHAIN: UNKNOWN_AUTHORITY,
  DEPTH_ZERO_SELF_SIGNED_CERT: `${UNKNOWN_AUTHORITY}: it is signed by itself`,
  CERT_HAS_EXPIRED: "the server's certificate has expired",
  CERT_NOT_YET_VALID: "the server's certificate isn't valid yet",
  ERR_SSL_WRONG_VERSION_NUMBER: "the server doesn't speak TLS there",
};

/** Why a connection by TLS failed, in words for who set it up; undefined: the error's own are as good. */
export function describeTlsFailure(code: string | undefined, message: string): string | undefined {
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') {
    return `the server's certificate is for another name (${message.replace(/\.$/, '')})`;
  }
  // Without a code of its own: OpenSSL's, in a text with addresses in it.
  if (/\bwrong version number\b/.test(message)) return WORDS.ERR_SSL_WRONG_VERSION_NUMBER;
  return code === undefined ? undefined : WORDS[code];
}
