import type { ClassedError } from '../../kube/errors.ts';

/** What the API server has against a write, in words for who owns the Service: without method and path of the request. */
export function describeRefusal({ message }: ClassedError): string {
  const text = message.replace(/^[A-Z]+ \/\S* ?/, '').replace(/^: */, '');
  if (text.includes('because it is being terminated')) {
    return 'Its namespace is being deleted: nothing new is made in it.';
  }
  return asSentence(`Kubernetes refuses what is to be written for it: ${text}`);
}

/** Whatever was thrown, as a sentence. */
export function describeFailure(error: unknown): string {
  return asSentence(error instanceof Error ? error.message : String(error));
}

function asSentence(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`;
}
