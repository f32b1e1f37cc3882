import { regionOf } from '../../bin/signed';
import { signedHeaders } from '../../lib/adapters/aws/signed-request';

describe('requests to a deployed stage', () => {
  it.each([
    ['https://abc.execute-api.eu-central-1.amazonaws.com', 'eu-central-1'],
    ['https://abc.execute-api.cn-north-1.amazonaws.com.cn/', 'cn-north-1'],
    ['http://127.0.0.1:8080', undefined],
    ['https://execute-api.eu-central-1.amazonaws.com.example.org', undefined],
  ])('are signed for the region that the address tells: %s', (url, region) => {
    expect(regionOf(url)).toBe(region);
  });

  it('have a signature over method, address and body, and never the secret', async () => {
    const credentials = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'wJalrXUtnFEMI-EXAMPLEKEY' };
    const sign = (body: string) =>
      signedHeaders(
        {
          url: new URL('https://abc.execute-api.us-east-1.amazonaws.com/api/x?limit=2'),
          method: 'POST',
          headers: {},
          body,
        },
        { credentials, region: 'us-east-1' },
      );
    const [one, other] = [await sign('{}'), await sign('{"a":1}')];
    expect(one.authorization).toMatch(
      /^AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE\/\d{8}\/us-east-1\/execute-api\/aws4_request, SignedHeaders=[a-z0-9;-]*host[a-z0-9;-]*, Signature=[0-9a-f]{64}$/,
    );
    expect(one.authorization?.slice(-64)).not.toBe(other.authorization?.slice(-64));
    expect(JSON.stringify(one)).not.toContain(credentials.secretAccessKey);
  });
});
