import { expect, test } from 'vitest'
import { z } from 'zod'
import { defineRoute, type RouteDefinition } from '../../../src/api/define-route.ts'

const common = {
  method: 'get',
  path: '/things',
  summary: 'Things',
  tag: 'Things',
  answer: z.string(),
} as const

test('a route that leaves out its name, its scope or its refusals, or answers what it does not declare, does not compile', () => {
  const definition = { ...common, operationId: 'listThings', scope: 'events:read', refusals: [] } as const
  // @ts-expect-error a route says with what it may refuse
  const unrefused: RouteDefinition = { ...common, operationId: 'listThings', scope: 'any' }
  // @ts-expect-error a route says who may call it
  const unscoped: RouteDefinition = { ...common, operationId: 'listThings', refusals: [] }
  const misspelt = { ...common, operationId: 'listThings', refusals: [] }
  // @ts-expect-error there is no such scope
  const unknown: RouteDefinition = { ...misspelt, scope: 'event:read' }
  // @ts-expect-error a route has the name of its call in clients
  const unnamed: RouteDefinition = { ...common, scope: 'any', refusals: [] }
  // @ts-expect-error 201 is not declared
  const undeclared = defineRoute(definition, async () => ({ status: 201, data: '' }))
  const created = { answer: z.string(), description: 'Created' }
  const declared = defineRoute({ ...definition, status: 200, otherAnswers: { 201: created } }, async () => ({
    status: 201,
    data: '',
  }))
  expect([unrefused, unscoped, unknown, unnamed, undeclared, declared]).toHaveLength(6)
})
