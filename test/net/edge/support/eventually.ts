const LONGEST_MS = 45_000;

/** Tries until it no longer throws; throws what it threw last. */
export async function eventually<T>(attempt: () => T | Promise<T>, longestMs = LONGEST_MS): Promise<T> {
  const deadline = Date.now() + longestMs;
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}
