import { booking } from '../../actors/booking.ts'

/** Preloaded into a daemon (`node --import`), this puts a bug into its bookings: they throw when they get their seats. */
booking.decide.SeatsReserved = () => {
  throw new TypeError('the hall has no balcony')
}
