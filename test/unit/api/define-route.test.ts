import { expect, test } from 'vitest'
import { z } from 'zod'
import { Reach } from '../../../src/access/binding.ts'
import { defineRoute, type RouteDefinition } from '../../../src/api/define-route.ts'
import { requireReach } from '../../../src/api/reach.ts'

const common = {
  method: 'get',
  path: '/things',
  summary: 'Things',
  tag: 'Things',
  answer: z.string(),
} as const

test('a route that leaves out its name, its scope, its service to bound callers or its refusals, or answers what it does not declare, does not compile', () => {
  const named = { ...common, operationId: 'listThings' } as const
  const definition = { ...named, scope: 'events:read', forBound: 'refused', refusals: [] } as const
  // @ts-expect-error a route says what it is to callers who are bound to subscriptions
  const unbound: RouteDefinition = { ...named, scope: 'events:read', refusals: [] }
  // @ts-expect-error a route says with what it may refuse
  const unrefused: RouteDefinition = { ...named, scope: 'any', forBound: 'refused' }
  // @ts-expect-error a route says who may call it
  const unscoped: RouteDefinition = { ...named, forBound: 'refused', refusals: [] }
  const misspelt = { ...named, forBound: 'refused', refusals: [] } as const
  // @ts-expect-error there is no such scope
  const unknown: RouteDefinition = { ...misspelt, scope: 'event:read' }
  // @ts-expect-error a route has the name of its call in clients
  const unnamed: RouteDefinition = { ...common, scope: 'any', forBound: 'refused', refusals: [] }
  // @ts-expect-error 201 is not declared
  const undeclared = defineRoute(definition, async () => ({ status: 201, data: '' }))
  const created = { answer: z.string(), description: 'Created' }
  const declared = defineRoute({ ...definition, status: 200, otherAnswers: { 201: created } }, async () => ({
    status: 201,
    data: '',
  }))
  expect([unbound, unrefused, unscoped, unknown, unnamed, undeclared, declared]).toHaveLength(7)
})

test('an answer of a route that is for bound callers is none where nothing has asked what they may see', () => {
  const bound = () => new Reach({ metadata: { customerId: '42' } })
  expect(() => requireReach({ forBound: 'own' }, bound())).toThrow('does not ask')
  const asked = bound()
  asked.includes({})
  for (const reach of [asked, new Reach(null)])
    expect(() => requireReach({ forBound: 'own' }, reach)).not.toThrow()
  expect(() => requireReach({ forBound: 'shared' }, bound())).not.toThrow()
})
