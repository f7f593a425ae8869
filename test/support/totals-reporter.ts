import type { Reporter, SerializedError, TestModule } from 'vitest/node'

/**
 * Closes a run with one line, `N passed, N failed`: files that would not load and stray errors count as failed. Before
 * it come the tests that skipped themselves, each with its reason.
 */
export default class TotalsReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], strayErrors: readonly SerializedError[]): void {
    let passed = 0
    let failed = strayErrors.length
    for (const module of modules) {
      failed += module.errors().length
      for (const suite of module.children.allSuites()) failed += suite.errors().length
      for (const test of module.children.allTests()) {
        const { state } = test.result()
        if (state === 'passed') passed++
        if (state === 'failed' || state === 'pending') failed++
      }
    }
    process.stdout.write(`\n${modules.flatMap(leftOut).join('')}${passed} passed, ${failed} failed\n`)
  }
}

function leftOut(module: TestModule): string[] {
  return [...module.children.allTests('skipped')].flatMap((test) => {
    const result = test.result()
    const note = result.state === 'skipped' ? result.note : undefined
    return note === undefined ? [] : [`NOT CHECKED: ${test.fullName}: ${note}\n`]
  })
}
