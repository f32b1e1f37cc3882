import { besideArn, besideUrl, readQueueUrls } from '../../../lib/adapters/aws/queue-addresses';

describe('addresses of queues', () => {
  it.each([
    ['https://sqs.eu-central-1.amazonaws.com/123456789012/', 'a'],
    ['https://sqs.cn-north-1.amazonaws.com.cn/123456789012/', 'Explorer-Service_a'],
    ['http://127.0.0.1:4566/000000000000/', 'a'],
  ])('below %s are told by the first of them', (base, name) => {
    const text = JSON.stringify({ postgresql: `${base}first`, mysql: name, kafka: `${base}whole` });
    expect(readQueueUrls(text)).toEqual({
      postgresql: `${base}first`,
      mysql: `${base}${name}`,
      kafka: `${base}whole`,
    });
    expect(besideUrl(`${base}first`, name)).toBe(`${base}${name}`);
  });

  it('may be none', () => expect(readQueueUrls('{}')).toEqual({}));

  it('have ARNs of the same partition, region and account', () => {
    const arn = 'arn:aws-cn:sqs:cn-north-1:123456789012:lost';
    expect(besideArn(arn, 'https://sqs.cn-north-1.amazonaws.com.cn/123456789012/work')).toBe(
      'arn:aws-cn:sqs:cn-north-1:123456789012:work',
    );
  });
});
