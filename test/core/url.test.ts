import { describe, expect, it } from 'vitest';
import { isForbiddenAddress, whyUnsafeUrl } from '../../src/core/url.ts';
import hostile from '../hostile-inputs.json' with { type: 'json' };

describe('an address from a configuration or a platform', () => {
  // H129 is about what a name resolves to, which no text shows.
  const cases = hostile.filter(
    (one) => one.class === 'ssrf' && one.where.startsWith('config.yaml') && one.id !== 'H129',
  );

  it.each(cases.map((one) => [one.id, one.input]))('%s is refused: %s', (_, input) => {
    expect(whyUnsafeUrl(String(input))).not.toBeNull();
  });

  it.each([
    'http://0xa9fea9fe/',
    'http://0251.0376.0251.0376/',
    'http://169.254.43518/',
    'http://169.254.169.254./',
    'http://[fe80::1]/',
    'http://[febf::1]/',
    'http://[::169.254.169.254]/',
    'http://[64:ff9b::a9fe:a9fe]/',
    'http://[2002:a9fe:a9fe::]/',
    'http://[fd00:ec2::254]/',
    'http://METADATA.google.internal./',
    'http://100.100.100.200/',
    'https://kubernetes.default.svc.cluster.local/',
    'javascript:alert(1)',
    '//host/path',
    '',
  ])('is refused in every spelling: %s', (text) => {
    expect(whyUnsafeUrl(text)).not.toBeNull();
  });

  it.each([
    'http://127.0.0.1:9090/',
    'http://localhost:9090/prometheus',
    'http://10.0.0.4/',
    'http://192.168.1.10:8080/',
    'http://[::1]:9090/',
    'http://[::ffff:10.0.0.1]/',
    'http://[fd12:3456::1]/',
    'https://prometheus.example.com/',
    'https://metadata.example.com/',
  ])('is accepted where teams run things: %s', (text) => {
    expect(whyUnsafeUrl(text)).toBeNull();
  });

  it('a refusal never repeats the credentials that were in the address', () => {
    expect(whyUnsafeUrl('https://user:hunter2@prom.internal/')).not.toContain('hunter2');
  });

  it.each(['169.254.0.1', '::ffff:169.254.169.254', 'fe80::1%eth0'])('%s, resolved, is link-local', (address) => {
    expect(isForbiddenAddress(address)).toBe(true);
  });
});
