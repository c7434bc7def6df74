/** Remembers what must not be shown, and takes it out of texts that come from elsewhere. */
export class Secrets {
  readonly #known = new Set<string>();

  /** Remembers a password or token, and how it looks in a URL. */
  add(secret: string): void {
    if (secret.length < 6) return; // would match everywhere, and protects little
    this.#known.add(secret);
    this.#known.add(encodeURIComponent(secret));
  }

  /** The text without secrets, userinfo and queries of URLs: those carry signatures. */
  readonly redact = (text: string): string => {
    let shown = text
      .replace(/(\w:\/\/)[^/\s@]*@/g, "$1")
      .replace(/(\w:\/\/[^\s?"')]*)\?[^\s"')]*/g, "$1?…")
      .replace(/\b(Bearer|Basic)\s+[\w.~+/=-]+/gi, "$1 …");
    for (const secret of this.#known) shown = shown.replaceAll(secret, "…");
    return shown;
  };
}
