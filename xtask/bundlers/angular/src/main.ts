import { Component, provideZoneChangeDetection } from '@angular/core'
import { bootstrapApplication } from '@angular/platform-browser'
import { all } from './login.js'

@Component({ selector: 'app-root', template: 'app' })
class App {
  ngOnInit() {
    all()
  }
}

bootstrapApplication(App, { providers: [provideZoneChangeDetection()] })
