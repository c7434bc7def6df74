import { assert, assertEquals, assertRejects } from "@std/assert";
import { join } from "@std/path";
import { CliError, UsageError } from "../../../cli/errors.ts";
import { Lock } from "../../../cli/unattended/lock.ts";

async function inFolder(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "davit-lock-" });
  try {
    await work(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

function env(variables: Record<string, string>) {
  return { env: (name: string) => variables[name] };
}

Deno.test("Lock.acquire() takes over what a dead owner left, whatever is in it", async () => {
  await inFolder(async (folder) => {
    const path = join(folder, "job.lock");
    for (const left of ["", "garbage", '{"pid":1,"since":"2026-01-01T00:00:00.000Z"}\n' + "x".repeat(1000)]) {
      await Deno.writeTextFile(path, left);
      using _lock = await Lock.acquire(path, env({}));
      const { pid } = JSON.parse(await Deno.readTextFile(path));
      assertEquals(pid, Deno.pid);
      const second = await assertRejects(() => Lock.acquire(path, env({})), CliError, `process ${Deno.pid}`);
      assertEquals(second.code, "locked");
    }
  });
});

Deno.test("Lock.acquire() follows no link, and writes to nothing but a file of its own", async () => {
  await inFolder(async (folder) => {
    const [path, precious] = [join(folder, "job.lock"), join(folder, "precious")];
    await Deno.writeTextFile(precious, "precious");
    await Deno.symlink(precious, path);
    await assertRejects(() => Lock.acquire(path, env({})), CliError, "is no file of its own");
    assertEquals(await Deno.readTextFile(precious), "precious");
    await Deno.remove(path);
    await Deno.symlink(join(folder, "nowhere"), path);
    await assertRejects(() => Lock.acquire(path, env({})), CliError, "is no file of its own");
    await assertRejects(() => Deno.lstat(join(folder, "nowhere")), Deno.errors.NotFound);
    await assertRejects(() => Lock.acquire(`${folder}/.`, env({})), CliError, "is no file of its own");
  });
});

Deno.test("Lock.acquire() takes a new file when the one it opened is taken away meanwhile", async () => {
  await inFolder(async (folder) => {
    const path = join(folder, "job.lock");
    const { tryLock } = Deno.FsFile.prototype;
    let isFirst = true;
    Deno.FsFile.prototype.tryLock = async function (exclusive) {
      if (isFirst) await Deno.remove(path);
      isFirst = false;
      return await tryLock.call(this, exclusive);
    };
    try {
      using _lock = await Lock.acquire(path, env({}));
      await assertRejects(() => Lock.acquire(path, env({})), CliError, "is held by process");
    } finally {
      Deno.FsFile.prototype.tryLock = tryLock;
    }
  });
});

Deno.test("Lock.acquire() makes a folder that nobody else may open, and takes no hostile name", async () => {
  await inFolder(async (folder) => {
    using _lock = await Lock.acquire("job", env({ XDG_RUNTIME_DIR: folder }));
    assertEquals((await Deno.stat(join(folder, "davit"))).mode! & 0o777, 0o700);
    assertEquals((await Deno.stat(join(folder, "davit/job.lock"))).mode! & 0o777, 0o600);
    for (const name of ["", "..", "a b", "x\n", "-x", "é", "y".repeat(101)]) {
      await assertRejects(() => Lock.acquire(name, env({ XDG_RUNTIME_DIR: folder })), UsageError);
    }
    assert((await Array.fromAsync(Deno.readDir(join(folder, "davit")))).length === 1);
  });
});
