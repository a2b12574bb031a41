import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { email as emailSchema } from '../../schemas/values.ts'
import { erasedEmail, eraserOf, eraseValue, isErased, withoutCustomer } from './erasure.ts'

const kate = 'Kate+tickets@example.com'
const erase = eraserOf(kate.toLowerCase())

describe('a customer', () => {
  test('is erased from any text, in any case', () => {
    for (const text of [kate, `<${kate}>`, `to:${kate}.`, `${kate}\n`, `"${kate.toUpperCase()}"`, `${kate}, ${kate}`])
      assert.ok(!/kate/i.test(erase(text)) && erase(text).includes(erasedEmail), text)
  })

  test('is nobody whose address has theirs in it', () => {
    for (const text of [
      `x${kate}`,
      `x.${kate}`,
      `x-${kate}`,
      `${kate}.au`,
      `${kate}-tv.org`,
      'Kate_tickets@example.com',
    ])
      assert.equal(erase(text), text)
  })

  test('is erased with the names beside the address, and no others', () => {
    const [passengers, other] = [['Kate', 'Del'], { customer_email: 'del@example.com', customer_name: 'Del' }]
    const given = { a: [{ customer_email: kate, passengers, price: 1.5 }], columns: ['1', kate], other }
    assert.deepEqual(eraseValue(given, erase), {
      a: [{ customer_email: erasedEmail, passengers: ['erased', 'erased'], price: 1.5 }],
      columns: ['1', erasedEmail],
      other,
    })
  })

  test('who was erased is not brought back by a message', () => {
    assert.ok(isErased({ status: 'made', customer_email: erasedEmail }))
    for (const state of [undefined, null, 0, {}, { customer_email: kate }]) assert.equal(isErased(state), false)
    const message = { type: 'InitializeVipBundle', customer_email: kate, passengers: ['Kate'] }
    assert.deepEqual(withoutCustomer(message), { ...message, customer_email: erasedEmail, passengers: ['erased'] })
    const other = { type: 'CancelBooking' }
    assert.equal(withoutCustomer(other), other)
  })

  test('may have any address that there is; twice is as good as once', () => {
    assert.ok(emailSchema.safeParse(erasedEmail).success)
    fc.assert(
      fc.property(fc.emailAddress(), fc.constantFrom('"', ' ', '<', ','), (address, before) => {
        const once = eraserOf(address)(`${before}${address}${before}`)
        assert.equal(once, `${before}${erasedEmail}${before}`)
        assert.equal(eraserOf(address)(once), once)
      }),
    )
  })
})
