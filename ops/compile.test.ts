import assert from 'node:assert/strict'
import { statSync } from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { compile } from './compile.mjs'
import { projectFolder } from './sandbox/folders.ts'

test('what is compiled already is not compiled again', async () => {
  const folder = () => statSync(path.join(projectFolder, 'dist')).ino
  await compile()
  const compiled = folder()
  await compile()
  assert.equal(folder(), compiled)
})
