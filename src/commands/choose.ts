type Choice<Command> = {
  /** What is typed before the command. */
  program: string
  help: string
  commands: Record<string, Command>
  run(command: Command, args: string[]): Promise<number>
}

/** Runs the command that the first argument names, or explains it, or says which there are. @returns the process's exit code */
export async function choose<Command extends { help: string }>(
  [name = '--help', ...args]: string[],
  { program, help, commands, run }: Choice<Command>,
): Promise<number> {
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined
  if (!command) {
    const isAsked = name === '--help' || name === '-h'
    if (isAsked) process.stdout.write(help)
    else process.stderr.write(`${program} knows no command ${name}\n\n${help}`)
    return isAsked ? 0 : 2
  }
  if (args.includes('--help') || args.includes('-h')) {
    process.stdout.write(command.help)
    return 0
  }
  return run(command, args)
}
