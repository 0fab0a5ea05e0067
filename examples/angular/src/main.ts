import { provideHttpClient, withInterceptors, httpResource } from '@angular/common/http'
import { Component, inject } from '@angular/core'
import { bootstrapApplication } from '@angular/platform-browser'
import { provideRouter, RouterLink, RouterOutlet } from '@angular/router'
import { OAuth, oauthGuard, oauthInterceptor, provideOAuth } from 'oauth-wasm/angular'
import { api, login } from './config'

@Component({ template: '@if (oauth.session()) { <p id="user">{{ user.value()?.nickname }}</p> }' })
class Me {
  oauth = inject(OAuth)
  user = httpResource<{ nickname: string }>(() => `${api}/users/me`)
}
@Component({
  selector: 'app-root', imports: [RouterLink, RouterOutlet],
  template: `
    @if (oauth.session()) { <button (click)="oauth.logout()">Log out</button> }
    @else if (!oauth.loading()) { <button (click)="oauth.login()" [disabled]="oauth.busy()">Log in</button> }
    <a routerLink="/me">My data</a> @if (oauth.error(); as error) { <p role="alert">{{ error.message }}</p> }
    <router-outlet />`,
})
class App { oauth = inject(OAuth) }

const routes = [{ path: 'me', component: Me, canActivate: [oauthGuard] }]
bootstrapApplication(App, { providers: [
  provideOAuth({ login }), provideRouter(routes), provideHttpClient(withInterceptors([oauthInterceptor(api)])),
] })
