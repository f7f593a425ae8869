/** A deploy that cannot go on, in words for the person who runs it. */
export class DeployError extends Error {}
