/** What Slack answers with `ok: false`: its code, and its messages where it gives some. */
export class SlackError extends Error {
  override name = 'SlackError';
  readonly code: string;
  readonly messages: string[];
  readonly more: Record<string, unknown>;

  constructor(code: string, messages: string[] = [], more: Record<string, unknown> = {}) {
    super(code);
    this.code = code;
    this.messages = messages;
    this.more = more;
  }

  /** The JSON body of the answer. */
  body(): Record<string, unknown> {
    const metadata = this.messages.length > 0 ? { response_metadata: { messages: this.messages } } : {};
    const errors = this.code === 'invalid_blocks' ? { errors: this.messages } : {};
    return { ok: false, error: this.code, ...errors, ...this.more, ...metadata };
  }
}
