import { useState } from 'react'
import { Link } from 'react-router'
import { useLook } from '../api/look.ts'

/** The name, which leads to the overview. */
export function Brand() {
  const { name, logo } = useLook()
  // The pages' policy loads pictures from the origins alone that the operator has named.
  const [isRefused, setIsRefused] = useState(false)
  return (
    <Link to="/" className="flex min-w-0 items-center gap-2 rounded-md text-lg font-semibold tracking-tight">
      {logo !== null && !isRefused && (
        <img
          src={logo}
          alt=""
          width={24}
          height={24}
          className="object-contain"
          onError={() => setIsRefused(true)}
        />
      )}
      <span className="min-w-0 truncate">{name}</span>
    </Link>
  )
}
