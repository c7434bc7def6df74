/** What a process in the foreground does to davit itself: its signals, its terminal and its output. */
import { assert, assertEquals } from "@std/assert";
import { fromFileUrl, join } from "@std/path";
import { attachTask } from "../../lib/run/process.ts";
import { removeContainer } from "../../lib/run/remove.ts";
import { leftOf, runTest, startBusybox } from "../lib/run/setting.ts";
import { busyboxName } from "../lib/some_container.ts";
import { Screen } from "../real/screen.ts";

const program = [
  Deno.execPath(),
  "run",
  "-A",
  "--no-check",
  fromFileUrl(new URL("../../cli/main.ts", import.meta.url)),
];

const forwarded = [
  ..."HUP INT QUIT TRAP ABRT BUS USR1 USR2 ALRM TERM STKFLT CONT TSTP TTIN TTOU XCPU XFSZ VTALRM PROF WINCH IO PWR SYS"
    .split(" "),
];

runTest(
  "forwardSignals() hands every signal on to the process, and leaves no debugger open",
  async (setting) => {
    const { client, containerd } = setting;
    const traps = forwarded.map((name) => `trap 'echo got ${name}' ${name}`).join("; ");
    const script = `${traps}; trap 'exit 7' PIPE; echo ready; while :; do sleep 0.05; done`;
    const argv = [
      "-a",
      containerd.address,
      "-n",
      client.name,
      "run",
      "--rm",
      busyboxName,
      "c",
      "sh",
      "-c",
      script,
    ];
    const child = new Deno.Command(program[0]!, {
      args: [...program.slice(1), ...argv],
      stdin: "null",
      stdout: "piped",
      stderr: "null",
    }).spawn();
    const output = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
    let text = "";
    const until = async (line: string) => {
      while (!text.split("\n").includes(line)) {
        const { value, done } = await output.read();
        assert(!done, `davit ended: ${text}`);
        text += value;
      }
    };
    await until("ready");
    // The debugger of Deno listens for the signal only after a while.
    await new Promise((resolve) => setTimeout(resolve, 600));
    for (const name of forwarded) {
      child.kill(`SIG${name}` as Deno.Signal);
      await until(`got ${name}`);
    }
    assertEquals(await listensAt(child.pid, 9229), false);
    child.kill("SIGPIPE");
    assertEquals((await child.status).code, 7);
    await output.cancel();
    assertEquals(await leftOf(setting), []);
  },
);

runTest("run ends its container when nobody reads its output any more", async (setting) => {
  const { client, containerd } = setting;
  const argv = ["-a", containerd.address, "-n", client.name, "run", "--rm", busyboxName, "c", "yes"];
  const child = new Deno.Command(program[0]!, {
    args: [...program.slice(1), ...argv],
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const output = child.stdout.getReader();
  await output.read();
  await output.cancel();
  const [{ code }, errors] = await Promise.all([child.status, new Response(child.stderr).text()]);
  assertEquals([code, errors], [0, ""]);
  assertEquals(await leftOf(setting), []);
}, { series: ["2"] });

runTest(
  "rawTerminal() is a terminal for the process: size, keys and screen, and given back at the end",
  async (setting) => {
    const { client, containerd } = setting;
    const argv = ["-a", containerd.address, "-n", client.name, "run", "--rm", "-t", busyboxName, "c", "sh"];
    const command = `${
      [...program, ...argv].join(" ")
    }; echo code $?; stty -a | tr ' ' '\\n' | grep -x -e '-*icanon' -e '-*opost;*' -e '-*echo'`;
    await using screen = await Screen.start(command, { columns: 91, rows: 31 });
    const type = async (...keys: string[]) => await screen.press(...keys, "Enter");
    const has = (line: string | RegExp) =>
      screen.until((lines) =>
        lines.some((text) => text.trim() === line || (line instanceof RegExp && line.test(text)))
      );
    await screen.until((lines) => lines.some((line) => line.startsWith("/ #")));
    await type("stty size"); // a line of the screen is not the program's
    await has(/^3\d 91$/);
    await screen.resize({ columns: 72, rows: 20 });
    await type("while ! stty size | grep 72; do sleep 0.1; done");
    await has(/^\d+ 72$/);
    await type("trap 'echo interrupted' INT");
    await screen.press("C-c");
    await has(/\^Cinterrupted$/);
    await type("exit 4");
    await has("code 4");
    await screen.until((lines) =>
      ["icanon", "echo", "opost"].every((word) => lines.some((line) => line.trim() === word))
    );
    assertEquals(await leftOf(setting), []);
  },
);

runTest("tasks exec and attach give a terminal to what has one, too", async (setting) => {
  const { client, containerd } = setting;
  const { containerId } = await startBusybox(client, ["sh"], { terminal: true });
  const words = ["-a", containerd.address, "-n", client.name, "tasks"];
  const exec = [...program, ...words, "exec", "-t", containerId, "sh"].join(" ");
  const attach = [...program, ...words, "attach", containerId].join(" ");
  await using screen = await Screen.start(`${exec}; echo code $?; ${attach}; echo code $?`, { columns: 91 });
  const has = (line: string) => screen.until((lines) => lines.some((text) => text.trim() === line));
  for (const [begin, code] of [["exec", 6], ["attach", 7]] as const) {
    await screen.until((lines) => lines.at(-1)!.startsWith("/ #"));
    await screen.press(`echo ${begin}=$(tty | cut -c 1-8)`, "Enter");
    await has(`${begin}=/dev/pts`);
    await screen.press("stty size | cut -d ' ' -f 2", "Enter");
    await screen.until((lines) => lines.filter((text) => text.trim() === "91").length === code - 5);
    await screen.press(`exit ${code}`, "Enter");
    await has(`code ${code}`);
  }
  await removeContainer(client, containerId);
  assertEquals(await leftOf(setting), []);
}, { series: ["2"] });

runTest("rawTerminal() leaves no debugger open", async (setting) => {
  const { client, containerd } = setting;
  const folder = await Deno.makeTempDir({ prefix: "davit-test-terminal-" });
  try {
    const argv = ["-a", containerd.address, "-n", client.name, "run", "--rm", "-t", busyboxName, "c", "cat"];
    const davit = `sh -c 'echo $$ > ${folder}/pid; exec ${[...program, ...argv].join(" ")}'`;
    await using screen = await Screen.start(davit);
    await screen.press("ready", "Enter");
    await screen.until((lines) => lines.filter((line) => line === "ready").length >= 2);
    const pid = Number(await Deno.readTextFile(join(folder, "pid")));
    // The debugger of Deno listens for the signal only after a while, and takes another to open.
    await new Promise((resolve) => setTimeout(resolve, 600));
    Deno.kill(pid, "SIGUSR1");
    await new Promise((resolve) => setTimeout(resolve, 600));
    assertEquals(await listensAt(pid, 9229), false);
    await screen.press("C-d");
    await screen.until((lines) => lines.some((line) => line.endsWith("exit 0")));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
  assertEquals(await leftOf(setting), []);
}, { series: ["2"] });

runTest("rawTerminal() gives the terminal back when a signal ends davit", async (setting) => {
  const { client, containerd } = setting;
  const folder = await Deno.makeTempDir({ prefix: "davit-test-terminal-" });
  try {
    for (const [signal, exit] of [["SIGTERM", 143], ["SIGHUP", 129]] as const) {
      const words = [
        "run",
        "--rm",
        "-t",
        busyboxName,
        "c",
        "sh",
        "-c",
        '"echo ready; read line; exit \\$line"',
      ];
      const argv = ["-a", containerd.address, "-n", client.name, ...words];
      const davit = `sh -c 'echo $$ > ${folder}/pid; exec ${[...program, ...argv].join(" ")}'`;
      await using screen = await Screen.start(`stty -g; ${davit}; echo "code $?"; stty -g`, { columns: 120 });
      await screen.until((lines) => lines.some((line) => line.startsWith("ready")));
      Deno.kill(Number(await Deno.readTextFile(join(folder, "pid"))), signal);
      const lines = await screen.until((lines) => lines.some((line) => /^ *exit \d+$/.test(line)));
      assert(lines.includes(`code ${exit}`), lines.join("\n"));
      const settings = lines.filter((line) => /^[0-9a-f:]{20,}$/.test(line.trim()));
      assertEquals([settings.length, new Set(settings).size], [2, 1], lines.join("\n"));
    }
    // Nobody was there to end it, and so it can be attached again.
    const input = new TransformStream<Uint8Array, Uint8Array>(); // its end would be that of the terminal
    const process = await attachTask(client, "c", { streams: { stdin: input.readable } });
    await input.writable.getWriter().write(new TextEncoder().encode("5\n"));
    assertEquals((await process.wait()).exitStatus, 5);
    await process.delete();
    await removeContainer(client, "c");
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
  assertEquals(await leftOf(setting), []);
}, { series: ["2"] });

/** Whether a process listens at a port of this machine. */
async function listensAt(pid: number, port: number): Promise<boolean> {
  const table = await Deno.readTextFile(`/proc/${pid}/net/tcp`);
  const hex = port.toString(16).toUpperCase().padStart(4, "0");
  const sockets = [...table.matchAll(new RegExp(`0100007F:${hex} 00000000:0000 0A .*`, "g"))]
    .map(([line]) => `socket:[${line.split(/\s+/)[8]}]`);
  for await (const { name } of Deno.readDir(`/proc/${pid}/fd`)) {
    const target = await Deno.readLink(`/proc/${pid}/fd/${name}`).catch(() => "");
    if (sockets.includes(target)) return true;
  }
  return false;
}
