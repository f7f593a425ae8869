import type { components, paths } from 'posthorn/openapi'

/** The nouns of the API, by the names that its document gives them. */
export type Schemas = components['schemas']

/** The paths of the API, as its document writes them: `/api/v1/webhooks/{id}`. */
export type Path = keyof paths
/** The methods of a path. */
export type MethodOf<P extends Path> = {
  [M in keyof paths[P]]: M extends 'parameters'
    ? never
    : [NonNullable<paths[P][M]>] extends [never]
      ? never
      : M
}[keyof paths[P]] &
  string

type Operation<P extends Path, M> = M extends keyof paths[P] ? NonNullable<paths[P][M]> : never

type JsonOf<Answer> = Answer extends { content: { 'application/json': infer Json } } ? Json : never
type Success<O> = O extends { responses: infer Answers }
  ? JsonOf<Answers[Extract<keyof Answers, 200 | 201 | 202>]>
  : never

/** The `data` of a call's answer. */
export type Data<P extends Path, M> =
  Success<Operation<P, M>> extends infer Answer ? (Answer extends { data: infer D } ? D : Answer) : never

/** One item of a list's answer. */
export type Item<P extends Path> = Data<P, 'get'> extends (infer T)[] ? T : never

/** The body of a call. */
export type Body<P extends Path, M> = BodyOf<Operation<P, M>>
type BodyOf<O> = O extends { requestBody?: infer Sent }
  ? NonNullable<Sent> extends { content: { 'application/json': infer B } }
    ? B
    : never
  : never

/** The query parameters of a call; a list adds its cursor itself. */
export type Query<P extends Path, M = 'get'> = QueryOf<Operation<P, M>>
type QueryOf<O> = O extends { parameters: { query?: infer Q } } ? NonNullable<Q> : never

type PathPart<O> = O extends { parameters: { path: infer T } } ? { path: T } : { path?: undefined }
type QueryPart<O> = [QueryOf<O>] extends [never] ? { query?: undefined } : { query?: QueryOf<O> | undefined }
type BodyPart<O> = [BodyOf<O>] extends [never]
  ? { body?: undefined }
  : O extends { requestBody: object }
    ? { body: BodyOf<O> }
    : { body?: BodyOf<O> | undefined }

/** All that a call takes: the values of its path, its query and its body. */
export type Input<P extends Path, M> = PathPart<Operation<P, M>> &
  QueryPart<Operation<P, M>> &
  BodyPart<Operation<P, M>>
