import { Component, type ReactNode } from 'react'
import { Problem } from '../components/problem.tsx'

type Props = { children: ReactNode /** Another key begins anew. */; resetKey?: string }
type State = { error: unknown; failed: boolean; resetKey: string | undefined }

/** Shows what went wrong in a page in its place, and leaves the rest usable. */
export class ErrorBoundary extends Component<Props, State> {
  override state: State = { error: null, failed: false, resetKey: this.props.resetKey }

  static getDerivedStateFromError(error: unknown): Partial<State> {
    return { error, failed: true }
  }

  static getDerivedStateFromProps({ resetKey }: Props, state: State): Partial<State> | null {
    return resetKey === state.resetKey ? null : { error: null, failed: false, resetKey }
  }

  override render(): ReactNode {
    if (!this.state.failed) return this.props.children
    // Code of a page that is not there any more: the relay was updated since this one was loaded.
    return <Problem error={this.state.error} onRetry={() => window.location.reload()} />
  }
}
