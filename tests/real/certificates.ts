import { join } from "@std/path";
import { run } from "./process.ts";

/** Paths of a certificate and its key, in PEM. */
export interface KeyPair {
  cert: string;
  key: string;
}

export interface CertificateOptions {
  /** Subject alternative names, as openssl writes them. @default localhost and 127.0.0.1 */
  names?: string;
  /** Until when it is valid. @default 2 */
  days?: number;
}

/** A private authority, made by openssl, that signs certificates for one folder of tests. */
export class Authority {
  /** Path of its certificate. */
  readonly cert: string;
  readonly #folder: string;
  #count = 0;

  private constructor(folder: string) {
    this.#folder = folder;
    this.cert = join(folder, "ca.crt");
  }

  static async make(folder: string): Promise<Authority> {
    const authority = new Authority(folder);
    const key = join(folder, "ca.key");
    const kind = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
    await run("openssl", [
      ...["req", "-x509", ...kind, "-days", "2", "-subj", "/CN=davit tests"],
      ...["-keyout", key, "-out", authority.cert],
    ]);
    return authority;
  }

  /** The certificate as text. */
  async pem(): Promise<string> {
    return await Deno.readTextFile(this.cert);
  }

  async sign({ names = "DNS:localhost,IP:127.0.0.1", days = 2 }: CertificateOptions = {}): Promise<KeyPair> {
    const base = join(this.#folder, `signed-${this.#count++}`);
    const pair = { cert: `${base}.crt`, key: `${base}.key` };
    await Deno.writeTextFile(`${base}.cnf`, `subjectAltName=${names}\nbasicConstraints=CA:FALSE\n`);
    const kind = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
    await run("openssl", [
      ...["req", ...kind, "-subj", "/CN=davit test", "-keyout", pair.key, "-out", `${base}.csr`],
    ]);
    await run("openssl", [
      ...["x509", "-req", "-in", `${base}.csr`, "-days", String(days), "-extfile", `${base}.cnf`],
      ...["-CA", this.cert, "-CAkey", join(this.#folder, "ca.key"), "-CAcreateserial", "-out", pair.cert],
    ]);
    return pair;
  }
}
