import { type AlertFields, alertIssues, alertRules } from '../../../../lib/core/alert/rule';
import type { IntegrationDocument } from '../../../../lib/core/integration';

const alert = (more: Partial<AlertFields> = {}): AlertFields => ({
  name: 'High Error Rate',
  condition: 'error_rate > 0.05',
  severity: 'warning',
  ...more,
});

const shop = (alerts: readonly AlertFields[]) => ({ name: 'shop', alerts }) as unknown as IntegrationDocument;

describe('alerts', () => {
  it.each(['5m', '60s', '1h30m', '1d', '90m'])('last %s', (duration) => {
    expect(alertIssues([alert({ duration })])).toEqual([]);
  });

  it.each([
    ['30s', 'must be a multiple of 60 s, such as "5m"'],
    ['0m', 'must be a multiple of 60 s, such as "5m"'],
    ['1d1m', 'must be at most one day ("1d")'],
    ['five minutes', '"five minutes" is no length of time; write "5m", "2h" or "1h30m"'],
    ['', '"" is no length of time; write "5m", "2h" or "1h30m"'],
  ])('do not last %j', (duration, message) => {
    expect(alertIssues([alert({ duration })])).toEqual([{ path: 'alerts[0].duration', message }]);
  });

  it('are told apart by the letters and digits of their names', () => {
    const issues = alertIssues([alert(), alert({ name: 'Другое' }), alert({ name: 'high-error rate!' })]);
    expect(issues).toEqual([{ path: 'alerts[2].name', message: expect.stringContaining('as that of alerts[0]') }]);
  });

  it('have names for AWS', () => {
    const names = ['High Error Rate', '  Größe: ÄÖ  ', 'データ', 'x'.repeat(200)];
    const rules = alertRules(shop(names.map((name) => alert({ name }))));
    expect(rules.map(({ slug }) => slug)).toEqual([
      'high-error-rate',
      'gro-e-ao',
      expect.stringMatching(/^alert-[0-9a-f]{8}$/),
      'x'.repeat(64),
    ]);
  });

  it('of another version that are wrong now are left out, and the others stay', () => {
    const alerts = [alert({ condition: 'gone > 1' }), alert({ name: 'Other' })];
    expect(alertRules(shop(alerts)).map(({ slug }) => slug)).toEqual(['other']);
    expect(alertRules({ name: 'shop' })).toEqual([]);
  });
});
