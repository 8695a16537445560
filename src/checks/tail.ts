import type { Readable } from 'node:stream';

/** What is kept of what a program writes: the end, where it says why. */
const MAX_CHARACTERS = 64 * 1024;
/** After so many bytes a program that writes without end is let wait, so that reading it does not keep Belay busy. */
const AT_ONCE = 256 * 1024;
const REST_MS = 20;

/** The last characters of a text that may have no end. */
export type Tail = { add(text: string): void; text(): string };

export function createTail(): Tail {
  let kept = '';
  return {
    add(text) {
      kept = (kept + text).slice(-MAX_CHARACTERS);
    },
    text: () => kept,
  };
}

/** Reads a stream to its end into the tails, as UTF-8 and no faster than Belay can afford. */
export function follow(stream: Readable | null, ...tails: Tail[]): void {
  const decoder = new TextDecoder();
  let bytes = 0;
  stream?.on('data', (chunk: Buffer) => {
    const text = decoder.decode(chunk, { stream: true });
    for (const tail of tails) tail.add(text);
    bytes += chunk.length;
    if (bytes < AT_ONCE) return;
    bytes = 0;
    stream.pause();
    setTimeout(() => stream.resume(), REST_MS);
  });
  // A pipe that breaks says nothing that the program's end does not.
  stream?.on('error', () => {});
}
