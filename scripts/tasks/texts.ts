/** `npm run -s texts`: prints all texts of the portal as a file in which they can be replaced, see docs/access.md. */
import { allTexts } from '../texts/mark-texts.ts'

const texts = Object.fromEntries(allTexts().map((english) => [english, english]))
console.log(JSON.stringify({ lang: 'en', texts }, null, 2))
