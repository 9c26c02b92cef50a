// Prints a page's script, bundled as developers do: node bundle.mjs FILE
import { build } from 'esbuild'

const { outputFiles: [bundle] } = await build({ entryPoints: [process.argv[2]], bundle: true, write: false, jsx: 'automatic', define: { 'process.env.NODE_ENV': '"production"' } })
process.stdout.write(bundle.contents)
