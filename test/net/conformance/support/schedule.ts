/**
 * Runs `shared` tasks some at a time, then `alone` ones by themselves. Each promise is of one task; a failing task fails
 * only its own.
 */
export function schedule<T>(
  shared: readonly (() => Promise<T>)[],
  alone: readonly (() => Promise<T>)[],
  atOnce: number,
): { shared: Promise<T>[]; alone: Promise<T>[] } {
  const queue = shared.map((task) => promised(task));
  let next = 0;
  const work = async () => {
    for (let entry = queue[next++]; entry !== undefined; entry = queue[next++]) await entry.run();
  };
  const workers = Promise.all(Array.from({ length: atOnce }, work));
  const serial = alone.map((task) => promised(task));
  void workers.then(async () => {
    for (const entry of serial) await entry.run();
  });
  return { shared: queue.map(({ result }) => result), alone: serial.map(({ result }) => result) };
}

function promised<T>(task: () => Promise<T>): { result: Promise<T>; run: () => Promise<void> } {
  const { promise: result, resolve, reject } = Promise.withResolvers<T>();
  // Whoever awaits it late still hears of it.
  result.catch(() => {});
  return { result, run: () => task().then(resolve, reject) };
}
