/** The names of workspaces. */
export const WORKSPACE_ID = /^[A-Za-z0-9_-]{1,128}$/
