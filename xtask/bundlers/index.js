import { all } from './login.js'

all()
