import { spawnSync } from 'node:child_process'
import { chownSync, statSync } from 'node:fs'
import { SandboxError } from './errors.ts'
import type { ProcessOptions } from './process.ts'

const nobody = 65534

type Command = Pick<ProcessOptions, 'command' | 'args' | 'uid' | 'gid'>

/**
 * Postgres refuses to run as root. As root this hands the data folder to an unprivileged user (`nobody`, or whoever
 * owns it already) and returns how to run a command as that user; for anyone else the command is returned as it is.
 *
 * Such a user cannot pass through a folder that is closed to others, like /root or what `mktemp -d` makes, so it keeps
 * one capability, `dac_override`. Without the secure bit `no_setuid_fixup` the kernel would drop that again inside
 * access(2), by which Postgres checks its own binaries.
 *
 * @param binary one of those it will run, to see whether the user can
 */
export function asPostgresUser(folder: string, binary: string): (command: string, args: string[]) => Command {
  if (process.getuid?.() !== 0) return (command, args) => ({ command, args })

  const owner = statSync(folder)
  const [uid, gid] = owner.uid === 0 ? [nobody, nobody] : [owner.uid, owner.gid]
  chownSync(folder, uid, gid)

  const setpriv = [
    `--reuid=${uid}`,
    `--regid=${gid}`,
    '--clear-groups',
    '--securebits=+no_setuid_fixup',
    '--inh-caps=+dac_override',
    '--ambient-caps=+dac_override',
  ]
  const canSetpriv = spawnSync('setpriv', [...setpriv, 'true'], { stdio: 'ignore' }).status === 0
  if (canSetpriv) return (command, args) => ({ command: 'setpriv', args: [...setpriv, command, ...args] })

  if (spawnSync(binary, ['--version'], { uid, gid }).status !== 0) throw unreachable(binary, uid)
  return (command, args) => ({ command, args, uid, gid })
}

function unreachable(binary: string, uid: number): SandboxError {
  const reason = `Postgres does not run as root, and the user ${uid}, who should run it, cannot run ${binary}`
  const advice = 'install setpriv (util-linux), or use a folder that others may enter, or start as another user'
  return new SandboxError('missing-tool', `${reason}: ${advice}`)
}
