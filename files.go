// Package gatehouse holds the two files that describe a deployment, so that the
// gatehouse command can be run in any folder. See README.md.
package gatehouse

import "embed"

// Files are gatehouse.yml and serverless.yml as they were when the program was
// built.
//
//go:embed gatehouse.yml serverless.yml
var Files embed.FS
