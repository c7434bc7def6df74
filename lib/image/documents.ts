import type { Content } from "../content.ts";
import { ContainerdError, NotFoundError } from "../errors.ts";
import { type ImageConfig, parseConfig } from "../oci/config.ts";
import type { Descriptor } from "../oci/descriptor.ts";
import { type ImageDocument, parseDocument } from "../oci/document.ts";
import type { CallOptions } from "../transport/transport.ts";

/** Reads the indexes, manifests and configs of one image; each once, however many ways lead to it. */
export class Documents {
  readonly #content: Content;
  readonly #options: CallOptions;
  readonly #documents = new Map<string, Promise<ImageDocument | undefined>>();

  constructor(content: Content, options: CallOptions = {}) {
    this.#content = content;
    this.#options = options;
  }

  /**
   * An index or manifest; `undefined` when the namespace lacks it.
   *
   * @throws {SyntaxError} when it is malformed, or of a type that points to nothing.
   */
  find(descriptor: Descriptor): Promise<ImageDocument | undefined> {
    const key = `${descriptor.mediaType} ${descriptor.digest}`; // one blob under two types is two documents
    const document = this.#documents.get(key) ?? this.#read(descriptor, parseDocument);
    this.#documents.set(key, document);
    return document;
  }

  /**
   * A config; `undefined` when the namespace lacks it.
   *
   * @throws {SyntaxError} when it is malformed.
   */
  findConfig(descriptor: Descriptor): Promise<ImageConfig | undefined> {
    return this.#read(descriptor, parseConfig);
  }

  /** A document or a small blob as it is; `undefined` when the namespace lacks it. */
  findBytes(descriptor: Descriptor): Promise<Uint8Array | undefined> {
    return this.#read(descriptor, (bytes) => bytes);
  }

  async #read<Parsed>(
    descriptor: Descriptor,
    parse: (bytes: Uint8Array, source: Descriptor) => Parsed,
  ): Promise<Parsed | undefined> {
    try {
      return parse(await this.#content.readSmall(descriptor, this.#options), descriptor);
    } catch (error) {
      if (error instanceof NotFoundError) return undefined;
      throw error;
    }
  }
}

/** Whether a failure says that content is not what it has to be, as opposed to that it could not be read. */
export function isBadContent(error: unknown): error is Error {
  return error instanceof SyntaxError || error instanceof RangeError ||
    (error instanceof ContainerdError && error.code === "data_loss");
}

/** What work resolves to; `undefined` when content is not what it has to be. */
export async function unlessBad<Result>(work: Promise<Result>): Promise<Result | undefined> {
  try {
    return await work;
  } catch (error) {
    if (isBadContent(error)) return undefined;
    throw error;
  }
}
