import { Link } from 'react-router'

/** The name, which leads to the overview. */
export function Brand() {
  return (
    <Link to="/" className="flex items-center gap-2 rounded-md text-lg font-semibold tracking-tight">
      <img src="/favicon.svg" alt="" width={24} height={24} />
      Posthorn
    </Link>
  )
}
