import { playOn } from './play.ts'

playOn('postgres')
