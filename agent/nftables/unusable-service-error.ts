/** The Service can't be forwarded as it is; the message tells what is wrong with it. */
export class UnusableServiceError extends Error {}
