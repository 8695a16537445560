import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';

/** One side of a WebSocket (RFC 6455), as much of it as Socket Mode uses: text, ping, pong, close. */
export type Socket = {
  send(text: string): void;
  ping(): void;
  /** Says good-bye and ends. */
  close(): void;
  /** Cuts the wire, as a network failure does. */
  destroy(): void;
};

type Listener = { message(text: string): void; closed(): void };

const MAX_MESSAGE_BYTES = 4 * 1024 * 1024;
const TEXT = 0x1;
const CLOSE = 0x8;
const PING = 0x9;
const PONG = 0xa;

/** Answers the upgrade; null (and a 400) when it is not one. */
export function acceptSocket(request: IncomingMessage, wire: Duplex, head: Buffer, listener: Listener): Socket | null {
  const key = request.headers['sec-websocket-key'];
  if (typeof key !== 'string' || request.headers.upgrade?.toLowerCase() !== 'websocket') {
    wire.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n');
    return null;
  }
  const accept = createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
  wire.write(
    `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
  );
  let buffered = Buffer.from(head);
  let parts: Buffer[] = [];
  let open = true;

  const write = (opcode: number, payload: Buffer) => {
    if (open && wire.writable) wire.write(Buffer.concat([header(opcode, payload.length), payload]));
  };
  const close = () => {
    write(CLOSE, Buffer.from([0x03, 0xe8]));
    open = false;
    wire.end();
  };
  const handle = (frame: Frame) => {
    if (frame.opcode === PING) write(PONG, frame.payload);
    else if (frame.opcode === CLOSE) close();
    else if (frame.opcode < CLOSE) {
      parts.push(frame.payload);
      if (!frame.last) return;
      const text = Buffer.concat(parts).toString('utf8');
      parts = [];
      listener.message(text);
    }
  };
  const drain = () => {
    for (let frame = readFrame(buffered); open && frame; frame = readFrame(buffered)) {
      buffered = buffered.subarray(frame.bytes);
      handle(frame);
    }
    if (buffered.length > MAX_MESSAGE_BYTES) wire.destroy();
  };
  wire.on('data', (chunk: Buffer) => {
    buffered = Buffer.concat([buffered, chunk]);
    drain();
  });
  wire.on('error', () => wire.destroy());
  wire.on('close', () => {
    open = false;
    listener.closed();
  });
  drain();
  return {
    send: (text) => write(TEXT, Buffer.from(text, 'utf8')),
    ping: () => write(PING, Buffer.from('Ping from sandbox')),
    close,
    destroy: () => wire.destroy(),
  };
}

type Frame = { opcode: number; last: boolean; payload: Buffer; bytes: number };

/** The first whole frame in the bytes, or null when more must come. */
function readFrame(bytes: Buffer): Frame | null {
  if (bytes.length < 2) return null;
  const first = bytes.readUInt8(0);
  const second = bytes.readUInt8(1);
  let length = second & 0x7f;
  let at = 2;
  if (length === 126) {
    if (bytes.length < 4) return null;
    length = bytes.readUInt16BE(2);
    at = 4;
  } else if (length === 127) {
    if (bytes.length < 10) return null;
    length = Number(bytes.readBigUInt64BE(2));
    at = 10;
  }
  const masked = (second & 0x80) !== 0;
  const start = at + (masked ? 4 : 0);
  if (bytes.length < start + length) return null;
  const payload = Buffer.from(bytes.subarray(start, start + length));
  if (masked) {
    for (let i = 0; i < length; i += 1) payload.writeUInt8(payload.readUInt8(i) ^ bytes.readUInt8(at + (i % 4)), i);
  }
  return { opcode: first & 0x0f, last: (first & 0x80) !== 0, payload, bytes: start + length };
}

function header(opcode: number, length: number): Buffer {
  if (length < 126) return Buffer.from([0x80 | opcode, length]);
  if (length < 65_536) {
    const medium = Buffer.from([0x80 | opcode, 126, 0, 0]);
    medium.writeUInt16BE(length, 2);
    return medium;
  }
  const long = Buffer.alloc(10);
  long.writeUInt8(0x80 | opcode, 0);
  long.writeUInt8(127, 1);
  long.writeBigUInt64BE(BigInt(length), 2);
  return long;
}
