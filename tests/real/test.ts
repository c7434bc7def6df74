import { Containerd, type StartOptions } from "./containerd.ts";
import { findReleases, type Release, type Series } from "./releases.ts";

export interface RealTestOptions extends Pick<StartOptions, "policy" | "collecting"> {
  /** Series that the test is about. @default all */
  series?: Series[];
  /** A daemon of its own: for tests that kill it, fill it up or count what is in it. @default false */
  fresh?: boolean;
  /** Whether the test takes so long that it only runs in the full suite. @default false */
  full?: boolean;
  /** How long the test may take before it fails. @default five minutes, in the full suite twenty */
  timeoutMs?: number;
}

type RealTestBody = (t: Deno.TestContext, containerd: Containerd) => Promise<void>;

const { releases, missing } = await findReleases();
const runsFull = Deno.env.get("DAVIT_TEST_FULL") === "1";
const mustHaveAll = Deno.env.get("DAVIT_REQUIRE_REAL") === "1";

/**
 * Registers a test once per containerd release. Those of one file that agree on its options share a daemon, so each
 * works in namespaces of its own; see {@linkcode uniqueNamespace}.
 *
 * A release that cannot be had skips its tests, or fails them if the environment has `DAVIT_REQUIRE_REAL=1`.
 */
export function realTest(name: string, body: RealTestBody, options: RealTestOptions = {}): void {
  const { series, policy = "shared", collecting = "at will", fresh = false, full = false } = options;
  const daemonOptions = { policy, collecting };
  const timeout = options.timeoutMs ?? (full ? 20 : 5) * 60_000;
  const ignore = full && !runsFull;
  const label = ignore ? `${name}, only in the full suite` : name;
  for (const release of releases) {
    if (series?.includes(release.series) === false) continue;
    const daemon = fresh || ignore ? undefined : sharedDaemon(release, daemonOptions);
    Deno.test({
      name: `${label} [containerd ${release.version}]`,
      ignore,
      timeout,
      fn: (t) => daemon?.isUsable ? daemon.use(t, body) : runFresh(t, body, { release, ...daemonOptions }),
    });
  }
  for (const { series: absent, reason } of missing) {
    if (series?.includes(absent) === false) continue;
    Deno.test({
      name: `${label} [no containerd ${absent}]`,
      ignore: ignore || !mustHaveAll,
      fn: () => Promise.reject(new Error(`Cannot test with containerd ${absent}: ${reason}`)),
    });
  }
}

/** A namespace that no other test uses. */
export function uniqueNamespace(prefix = "test"): string {
  return `${prefix}-${crypto.randomUUID().slice(0, 8)}`;
}

/** The daemon of all tests of a file that want the same release and policy. */
class SharedDaemon {
  readonly #release: Release;
  readonly #options: StartOptions;
  #containerd: Containerd | undefined;
  #failure: unknown;

  constructor(release: Release, options: StartOptions) {
    this.#release = release;
    this.#options = options;
  }

  /** False once a test has brought it down: the rest of the file then goes on with daemons of their own. */
  get isUsable(): boolean {
    return this.#containerd === undefined || this.#containerd.alive();
  }

  async start(): Promise<void> {
    try {
      this.#containerd = await Containerd.start(this.#release, this.#options);
    } catch (error) {
      this.#failure = error;
    }
  }

  async stop(): Promise<void> {
    await this.#containerd?.[Symbol.asyncDispose]();
  }

  async use(t: Deno.TestContext, body: RealTestBody): Promise<void> {
    const containerd = this.#containerd;
    if (containerd === undefined) throw this.#failure;
    try {
      await body(t, containerd);
    } catch (error) {
      if (containerd.alive()) throw error;
      throw await died(containerd, { cause: error });
    }
    if (!containerd.alive()) throw await died(containerd);
  }
}

async function died(containerd: Containerd, options?: ErrorOptions): Promise<Error> {
  return new Error(
    `containerd died during the test; its log ends with:\n${await containerd.logTail()}`,
    options,
  );
}

async function runFresh(
  t: Deno.TestContext,
  body: RealTestBody,
  { release, ...options }: StartOptions & { release: Release },
): Promise<void> {
  await using containerd = await Containerd.start(release, options);
  await body(t, containerd);
}

const shared = new Map<string, SharedDaemon>();

function sharedDaemon(release: Release, options: StartOptions): SharedDaemon {
  const key = JSON.stringify([release.version, options.policy, options.collecting]);
  const daemon = shared.get(key) ?? new SharedDaemon(release, options);
  shared.set(key, daemon);
  return daemon;
}

// A hook, not the first test, starts the daemons: what a test leaves running counts as leaked.
Deno.test.beforeAll(async () => {
  await Promise.all([...shared.values()].map((daemon) => daemon.start()));
});

Deno.test.afterAll(async () => {
  await Promise.all([...shared.values()].map((daemon) => daemon.stop()));
});
