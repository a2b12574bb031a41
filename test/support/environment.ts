/** The address of a server that `npm test` starts for the whole run. */
export function testServer(variable: 'TEST_POSTGRES_URL' | 'TEST_NATS_URL'): string {
  const url = process.env[variable]
  if (url === undefined) throw new Error(`${variable} is not set: run this file by \`npm test -- <part of its path>\``)
  return url
}
