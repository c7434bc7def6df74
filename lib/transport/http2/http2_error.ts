/** An end of a connection, or of one call on it, before its time. */
export class Http2Error extends Error {
  override name = "Http2Error";
  /** The request never left, or the server promised not to have looked at it. */
  readonly notSent: boolean;

  constructor(message: string, { notSent = false, ...options }: ErrorOptions & { notSent?: boolean } = {}) {
    super(message, options);
    this.notSent = notSent;
  }

  /** The same, for one of the calls that it ends. */
  forCall({ notSent }: { notSent: boolean }): Http2Error {
    return new Http2Error(this.message, { notSent, cause: this.cause ?? this });
  }
}

/** Something that the other side must not do, so that nothing it says can be relied on any more. */
export class ProtocolError extends Http2Error {
  override name = "ProtocolError";
}
