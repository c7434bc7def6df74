/**
 * The requests of a stream, asked for before the answers to earlier ones are taken, as a network would. Ends with the
 * signal's reason; what has been asked for is then not waited for, for it may never come.
 */
export async function* readAhead<Request>(
  requests: readonly Request[] | AsyncIterable<Request>,
  { copy, signal }: { copy: (request: Request) => unknown; signal: AbortSignal },
): AsyncGenerator<unknown> {
  const iterator = iteratorOf(requests);
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const abort = () => reject(signal.reason);
  aborted.catch(() => {});
  signal.addEventListener("abort", abort);
  try {
    let next = asked(iterator);
    while (true) {
      const { done, value } = await Promise.race([next, aborted]);
      if (done) return;
      const message = copy(value); // before the sender may go on and change it
      next = asked(iterator);
      yield message;
    }
  } finally {
    signal.removeEventListener("abort", abort);
    Promise.resolve(iterator.return?.()).catch(() => {});
  }
}

function iteratorOf<Request>(requests: readonly Request[] | AsyncIterable<Request>): AsyncIterator<Request> {
  if (Symbol.asyncIterator in requests) return requests[Symbol.asyncIterator]();
  return (async function* () {
    yield* requests;
  })();
}

/** A failure counts when its turn comes, not before. */
function asked<Request>(iterator: AsyncIterator<Request>): Promise<IteratorResult<Request>> {
  const next = iterator.next();
  next.catch(() => {});
  return next;
}
