/** Every kind of fault, and every rare branch of the engine, that a batch of seeds must have gone through. */
export const everySight = [
  'crash before an effect',
  'crash between effect and answer',
  'crash after an answer',
  'request of a dead process arrives',
  'pause longer than the lease',
  'graceful stop',
  'connection cut before the effect',
  'connection cut after the effect',
  'connection silent',
  'late effect of a broken connection',
  'database outage',
  'broker outage',
  'request to the broker lost',
  'answer of the broker lost',
  'answer to a client lost',
  'message published twice',
  'message stored twice',
  'mailbox full',
  'mailbox stream wiped',
  'effects stream wiped',
  'events stream wiped',
  'reading of a mailbox broken',
  'effect delivered again',
  'service outage',
  'call failed before it was carried out',
  'call failed after it was carried out',
  'call hung',
  'call refused',
  'flight or taxi sold out',
  'row appended by two attempts at once',

  'several commits under way',
  'commit of a zombie fenced',
  'partitions lost to another worker',
  'duplicate in a batch',
  'commit unknown, went in',
  'commit unknown, did not go in',
  'commit unknown, went in afterwards',
  'turn refused by the database',
  'partitions taken up again',
  'told again by a new owner',
  'send joined the batch',
  'command handed over',
  'effect taken at once',
  'effect taken at once and put into its queue',
  'command given back',
  'chain goes on through the broker',
  'actor read from the store',
  'partition read in another stream',
  'loss of a stream noticed',
  'sends redriven',
  'calls redriven',
  'events redriven',
  'message that had its turn left out',
  'answer looked up in the journal',
  'alarm rang',
  'alarm rang after a takeover',
  'circuit opened',
  'dead letter actor-paused',
  'alarm set aside by a pause',
  'message sent back by a resume',
  'commit refused because its pause has ended',
  'pause of a service heard',
  'projector leads',
  'turns projected from memory',
  'turns projected from the journal',
  'projector stands by',
  'write of read models refused',
  'bundle succeeded',
  'bundle failed',
  'bundle stopped by an operator',
  'bundle rolled back by a deadline',
  'bundle rolled back by what became of a part',
  'part of a bundle refused',
  'part of a bundle undone',
  'part of a bundle undone after its end',
  'dead letter message-unparsable',
  'dead letter unknown-actor',
  'dead letter unknown-command',
  'dead letter misrouted',
  'dead letter turn-threw',
  'dead letter commit-rejected',
  'dead letter effect-refused',
  'dead letter effect-exhausted',
] as const

export type Sight = (typeof everySight)[number]

/** How often each was seen. */
export class Sightings {
  readonly counts = new Map<Sight, number>()

  note(sight: Sight, count = 1): void {
    this.counts.set(sight, (this.counts.get(sight) ?? 0) + count)
  }

  add(counts: Iterable<[Sight, number]>): void {
    for (const [sight, count] of counts) this.note(sight, count)
  }

  get unseen(): Sight[] {
    return everySight.filter((sight) => !this.counts.has(sight))
  }
}
