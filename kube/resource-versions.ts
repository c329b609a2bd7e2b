const DECIMAL = /^[1-9][0-9]*$/;

/**
 * Whether resourceVersion `a` is from before `b`. Kubernetes' own kinds have decimal ones that can be compared (KEP-5504);
 * for any others, which mean nothing to us, the answer is no.
 */
export function isOlder(a: string, b: string): boolean {
  if (!DECIMAL.test(a) || !DECIMAL.test(b)) return false;
  return a.length === b.length ? a < b : a.length < b.length;
}
