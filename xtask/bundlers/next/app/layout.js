import OAuth from './oauth.js'

export default function Layout({ children }) {
  return (
    <html lang="en">
      <body>
        <OAuth>{children}</OAuth>
      </body>
    </html>
  )
}
