import assert from 'node:assert/strict'

/** What fields must not be, by what they are. */

const uuid = '019389c2-4c00-7d2e-9a51-6f1b0c7a8e44'

export const bad = {
  ids: [
    '',
    'x',
    'not-a-uuid',
    uuid.slice(1),
    `${uuid}0`,
    `{${uuid}}`,
    ` ${uuid}`,
    `${uuid}\n`,
    1,
    null,
    [],
    [uuid],
    {},
    true,
    '../etc',
    "' or 1=1--",
    '<b>',
  ],
  counts: [0, -1, -0.5, 1.5, 1e-7, '2', '', null, true, [], [2], {}, 1e300, Number.MAX_SAFE_INTEGER + 1],
  texts: ['', 'a\0b', '\0', 'x'.repeat(1_001), '\ud800', 'a\udc00b', 0, null, [], ['a'], {}, false],
  times: [
    '',
    'tomorrow',
    '2027-06-01',
    '2027-06-01T20:00:00',
    '2027-02-30T20:00:00Z',
    '2027-06-01T25:00:00Z',
    '2027-06-01 20:00:00Z',
    '9999-12-31T23:59:59-23:59',
    '0000-01-01T00:00:00+23:59',
    '+012027-06-01T20:00:00Z',
    1811880000,
    null,
    {},
    '2027-06-01T20:00:00Z\0',
  ],
  emails: [
    '',
    'ada',
    '@',
    'ada@',
    '@example.org',
    'ada@@example.org',
    'a b@example.org',
    'ada@example.org\0',
    'ada@example.org\r\nBcc: x',
    `${'a'.repeat(310)}@example.org`,
    '<script>@x',
    'ádá@example.org',
    '🦩@example.org',
    7,
    null,
    ['ada@example.org'],
    {},
  ],

  amounts: [
    '-1',
    '+1',
    '1e3',
    'NaN',
    'Infinity',
    '1,5',
    '1 000',
    ' 1',
    '1 ',
    '1\n',
    '',
    '.5',
    '1.',
    '01',
    '00',
    '-0',
    '0x10',
    '1.12345',
    '1'.repeat(30),
    '１',
    '1\0',
    '$1',
    '<b>1</b>',
    '💶',
    '__proto__',
    12,
    0,
    -1,
    null,
    true,
    [],
    ['1'],
    {},
  ],
  currencies: [
    'eur',
    'EU',
    'EURO',
    '€',
    ' EUR',
    'EUR ',
    'EUR\n',
    'E\0R',
    'ЕUR',
    '<b>',
    '💶',
    '__proto__',
    978,
    null,
    false,
    [],
    ['EUR'],
    {},
  ],
  statuses: [
    '',
    'Confirmed',
    'confirmed ',
    'refunded',
    'confirmed\0',
    '__proto__',
    'constructor',
    '✅',
    0,
    null,
    true,
    [],
    ['confirmed'],
    {},
  ],
}

export type Problem = { type: string; status: number; error: string; errors?: { field: string; message: string }[] }

/** The answer is this problem, and names this field. */
export async function assertRefused(response: Response, status: number, code: string, field?: string): Promise<void> {
  const problem = (await response.json()) as Problem
  const seen = JSON.stringify(problem)
  assert.equal(response.status, status, seen)
  assert.equal(response.headers.get('Content-Type'), 'application/problem+json')
  assert.match(response.headers.get('Correlation-ID') ?? '', /./)
  assert.equal(problem.type, `/problems/${code}`, seen)
  assert.equal(problem.status, status)
  assert.ok(problem.error.length > 0)
  if (field !== undefined)
    assert.deepEqual(
      problem.errors?.map((error) => error.field),
      [field],
      seen,
    )
}
