'use client'
// Rendered on the server too, which so imports the library.
import { useEffect } from 'react'
import { all } from '../src/login.js'
import Account from './account.js'

export default function Page() {
  useEffect(all, [])
  return <Account />
}
