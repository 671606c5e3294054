import { playOn } from './play.ts'

playOn('embedded')
