/** Names under which clouds hand out credentials, and under which a cluster's control plane answers. */
const FORBIDDEN_NAMES =
  /^(metadata|metadata\.goog|metadata\.google\.internal|instance-data|instance-data\.ec2\.internal|kubernetes|kubernetes\.default(\.svc(\.[a-z0-9.-]+)?)?)$/;

/** Metadata services that do not live in a link-local range: Alibaba, Azure's wire server, Oracle. */
const FORBIDDEN_IPV4 = new Set(['100.100.100.200', '168.63.129.16', '192.0.0.192']);

/** The same over IPv6: Amazon, Google. */
const FORBIDDEN_IPV6 = new Set(['fd00:ec2:0:0:0:0:0:254', 'fd20:ce:0:0:0:0:0:254']);

/**
 * Why Belay must not call this address, as a sentence that may be shown (it never repeats credentials); null when it may.
 * Loopback and private networks are allowed: that is where teams run things. Link-local and cloud-metadata addresses are
 * not, however they are written. It judges the text only: what a name resolves to later is not known here.
 */
export function whyUnsafeUrl(text: string): string | null {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (!url) return 'This is not a URL. Expected something like https://platform.example.com.';
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    return `The URL starts with "${url.protocol}", expected http: or https:.`;
  }
  if (url.username !== '' || url.password !== '') {
    return 'The URL has credentials in it, which would end up in logs. Give them in an option of their own.';
  }
  // The URL parser has already turned decimal, octal, hexadecimal and short forms into four numbers.
  const host = url.hostname.toLowerCase().replace(/\.$/, '');
  if (FORBIDDEN_NAMES.test(host) || isForbiddenAddress(host.replace(/^\[|\]$/g, ''))) {
    return `The URL's host ${host} is a link-local, metadata or control-plane address, which Belay never calls.`;
  }
  return null;
}

/** Is this numeric address (as a resolver or the URL parser writes it) link-local or a cloud's metadata service? */
export function isForbiddenAddress(address: string): boolean {
  if (/^\d+\.\d+\.\d+\.\d+$/.test(address)) {
    return address.startsWith('169.254.') || FORBIDDEN_IPV4.has(address);
  }
  const groups = ipv6Groups(address);
  if (!groups) return false;
  const [first = 0, second = 0] = groups;
  const isLinkLocal = (first & 0xffc0) === 0xfe80;
  const is6to4 = first === 0x2002;
  // IPv4-mapped, IPv4-compatible and NAT64 carry an IPv4 address in their last four bytes, 6to4 in bytes 2 to 5.
  const leading = groups.slice(0, 6).join(':');
  const carriesIpv4 = leading === '0:0:0:0:0:65535' || leading === '0:0:0:0:0:0' || leading === '100:65435:0:0:0:0';
  const carried = is6to4 ? ipv4Of(second, groups[2] ?? 0) : ipv4Of(groups[6] ?? 0, groups[7] ?? 0);
  return (
    isLinkLocal ||
    FORBIDDEN_IPV6.has(groups.map((group) => group.toString(16)).join(':')) ||
    ((carriesIpv4 || is6to4) && isForbiddenAddress(carried))
  );
}

/** The eight 16-bit groups of an IPv6 address; null when it is not one. */
function ipv6Groups(address: string): number[] | null {
  const plain = (address.split('%')[0] ?? '').replace(/(\d+)\.(\d+)\.(\d+)\.(\d+)$/, (_, a, b, c, d) => {
    const group = (high: string, low: string) => (Number(high) * 256 + Number(low)).toString(16);
    return `${group(a, b)}:${group(c, d)}`;
  });
  if (!/^[0-9a-f:]+$/i.test(plain) || !plain.includes(':')) return null;
  const [head = '', tail] = plain.split('::');
  const before = head === '' ? [] : head.split(':');
  const after = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - before.length - after.length);
  const groups = [...before, ...Array<string>(zeros).fill('0'), ...after].map((group) => Number.parseInt(group, 16));
  return groups.length === 8 ? groups : null;
}

function ipv4Of(high: number, low: number): string {
  return [high >> 8, high & 255, low >> 8, low & 255].join('.');
}
