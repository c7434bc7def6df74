import { openRegistry } from "../../mod.ts";
import { HttpProxy } from "../fault/http_proxy.ts";
import { pushImage } from "../lib/registry/images.ts";
import type { Image } from "./image_builder.ts";
import { LocalRegistry } from "./registry.ts";

/** A registry with images in it, and a proxy before it that counts what is asked for. */
export class StockedRegistry implements AsyncDisposable {
  readonly server: LocalRegistry;
  readonly proxy: HttpProxy;

  private constructor(server: LocalRegistry, proxy: HttpProxy) {
    this.server = server;
    this.proxy = proxy;
  }

  /** Starts it with images by the repository and tag to put them under: `{ "app:1": image }`. */
  static async start(images: Record<string, Image>): Promise<StockedRegistry> {
    const server = await LocalRegistry.start();
    const stocked = new StockedRegistry(server, HttpProxy.start(server.url));
    await using registry = openRegistry({ plainHttp: true });
    for (const [name, image] of Object.entries(images)) {
      await pushImage(registry, `${server.host}/${name}`, image);
    }
    return stocked;
  }

  /** The reference of an image, through the proxy. */
  reference(name: string): string {
    return `${this.proxy.host}/${name}`;
  }

  /** How often a blob or manifest was sent, and not only asked about. */
  downloads(pattern = /./): number {
    return this.proxy.seen(/^GET .*\/(blobs|manifests)\//).filter(({ path }) => pattern.test(path)).length;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.proxy[Symbol.asyncDispose]();
    await this.server[Symbol.asyncDispose]();
  }
}
