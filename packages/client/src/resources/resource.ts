import type { ApiCaller } from '../http/api-caller.ts'

/** Calls that are about one kind of thing. */
export class Resource {
  protected readonly api: ApiCaller

  constructor(api: ApiCaller) {
    this.api = api
  }
}
