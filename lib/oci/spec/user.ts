import { quoted } from "../quoted.ts";
import type { RuntimeUser } from "./runtime_spec.ts";

/** The texts of an image's own files of users and groups; absent when it has none. */
export interface UserFiles {
  passwd?: string | undefined;
  group?: string | undefined;
}

/** What runc takes for a number of a user or group at most. */
const largest = 2 ** 31 - 1;

/**
 * Who `USER`, `UID`, `USER:GROUP` or any mixture of names and numbers is in an image. A number need not be in its files;
 * its group is then the one that they name, or 0. An empty text is root.
 *
 * @throws {SyntaxError} when the text is malformed, or a name is not in the files.
 */
export function resolveUser(text: string, files: UserFiles): RuntimeUser {
  const [name = "", groupName, ...more] = text.split(":");
  if (more.length > 0 || (text !== "" && name === "") || groupName === "") {
    throw unusable(text, "expected USER or USER:GROUP, by name or number");
  }
  const users = (files.passwd ?? "").split("\n").map(readUser).filter((user) => user !== undefined);
  const number = numberOf(name || "0");
  const user = number === undefined
    ? users.find((user) => user.name === name)
    : users.find(({ uid }) => uid === number);
  const uid = number ?? user?.uid;
  if (uid === undefined) throw unusable(text, `the image has no user ${quoted(name)} in its /etc/passwd`);
  const groups = (files.group ?? "").split("\n").map(readGroup).filter((group) => group !== undefined);
  const gid = groupName === undefined ? user?.gid ?? 0 : findGroup(groupName, { groups, text });
  return { uid, gid, additionalGids: additionalGids({ gid, groups, name: user?.name }) };
}

/** The groups that list the user, beside its own; that one comes first, as containerd has it. */
function additionalGids(
  { gid, groups, name }: { gid: number; groups: readonly Group[]; name: string | undefined },
): number[] {
  const listed = name === undefined
    ? []
    : groups.filter((group) => group.name !== name && group.members.includes(name));
  return [...new Set([gid, ...listed.map((group) => group.gid)])];
}

interface User {
  name: string;
  uid: number;
  gid: number;
}

interface Group {
  name: string;
  gid: number;
  members: string[];
}

function readUser(line: string): User | undefined {
  const [name, , uid = "", gid = ""] = line.split(":");
  const numbers = [numberOf(uid), numberOf(gid)];
  if (!name || numbers[0] === undefined || numbers[1] === undefined) return undefined;
  return { name, uid: numbers[0], gid: numbers[1] };
}

function readGroup(line: string): Group | undefined {
  const [name, , number = "", members = ""] = line.split(":");
  const gid = numberOf(number);
  return !name || gid === undefined ? undefined : { name, gid, members: members.trim().split(",") };
}

function findGroup(name: string, { groups, text }: { groups: readonly Group[]; text: string }): number {
  const gid = numberOf(name) ?? groups.find((group) => group.name === name)?.gid;
  if (gid === undefined) throw unusable(text, `the image has no group ${quoted(name)} in its /etc/group`);
  return gid;
}

/** A name may consist of digits, too, if they are too many for a number. */
function numberOf(text: string): number | undefined {
  const number = /^\d+$/.test(text) ? Number(text) : NaN;
  return number <= largest ? number : undefined;
}

function unusable(text: string, reason: string): SyntaxError {
  return new SyntaxError(`Cannot use user ${quoted(text)}: ${reason}`);
}
