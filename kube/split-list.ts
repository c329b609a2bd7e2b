/** `a, b` to its parts, without blanks around them and without empty ones. */
export function splitList(text = ''): string[] {
  return text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
}
