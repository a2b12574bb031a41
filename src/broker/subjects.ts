import { partitionOf } from '../actor/ids.ts'
import type { Address } from '../engine/ports.ts'

/** The names of everything on NATS that belongs to one installation. */
export class Subjects {
  readonly prefix: string
  readonly partitions: number

  /** @param prefix one word, which every subject begins with */
  constructor(prefix: string, partitions: number) {
    this.prefix = prefix
    this.partitions = partitions
  }

  // ── Streams, and what is stored in them ─────────────────────────────────────────────────────────────────────────

  get mailboxStream(): string {
    return `${this.prefix}-mailbox`
  }

  get eventStream(): string {
    return `${this.prefix}-events`
  }

  get effectStream(): string {
    return `${this.prefix}-effects`
  }

  get allMailboxes(): string {
    return `${this.prefix}.mbx.>`
  }

  get allEvents(): string {
    return `${this.prefix}.evt.>`
  }

  get allEffects(): string {
    return `${this.prefix}.fx.>`
  }

  /** Where clients publish commands, and where the server puts them: the token after `mbx` is the partition. */
  get mapping(): { src: string; dest: string } {
    const partition = `{{partition(${this.partitions},2)}}`
    return {
      src: `${this.prefix}.cmd.*.*.*`,
      dest: `${this.prefix}.mbx.${partition}.{{wildcard(1)}}.{{wildcard(2)}}.{{wildcard(3)}}`,
    }
  }

  mailboxOf(partition: number): string {
    return `${this.prefix}.mbx.${partition}.>`
  }

  effectsOf(service: string): string {
    return `${this.prefix}.fx.${service}.>`
  }

  // ── Single messages ─────────────────────────────────────────────────────────────────────────────────────────────

  /** The subject that the server would map the client's to. Publishing there at once needs no mapping. */
  command({ kind, id }: Address, type: string): string {
    return `${this.prefix}.mbx.${partitionOf(id, this.partitions)}.${kind}.${id}.${type}`
  }

  /** Where workers tell each other that there are partitions to take. */
  get offers(): string {
    return `${this.prefix}.offers`
  }

  event({ kind, id }: Address, type: string): string {
    return `${this.prefix}.evt.${kind}.${id}.${type}`
  }

  effect(service: string, type: string): string {
    return `${this.prefix}.fx.${service}.${type}`
  }

  /** @param kind may come from the subject of a message that makes no sense */
  deadLetter(kind: string): string {
    return `${this.prefix}.dead.${kind.replace(/[\s.*>]/g, '_') || '_'}`
  }

  /** Anyone who may publish below `mbx` can leave out tokens, or add some: what is there becomes a dead letter. */
  parseCommand(subject: string): { to: Address; type: string } {
    const [, , , kind = '', id = '', ...type] = subject.split('.')
    return { to: { kind, id }, type: type.join('.') }
  }

  parseEffect(subject: string): { type: string } {
    return { type: subject.split('.').slice(3).join('.') }
  }

  /**
   * Whether an answer may be sent there. The subject comes from whoever sent the command, and we may publish where they
   * may not: to the server's own interface, or into our own streams.
   */
  takesReplies(subject: string): boolean {
    return /^[^\s.*>$][^\s.*>]*(?:\.[^\s.*>]+)*$/.test(subject) && !subject.startsWith(`${this.prefix}.`)
  }
}
