// Lambdazip writes the zips that serverless.yml deploys into dist, as `gatehouse
// package` does. It is a program of its own so that `make package` need not
// compile all of gatehouse first.
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/gatehouse-auth/gatehouse/internal/deploy/lambdazip"
)

func main() {
	artifacts, err := lambdazip.Package(context.Background(), ".", "dist", "arm64")
	if err != nil {
		fmt.Fprintln(os.Stderr, "lambdazip:", err)
		os.Exit(1)
	}
	for _, a := range artifacts {
		fmt.Printf("%-24s %.1f MB\n", a.Path, float64(a.Size)/1e6)
	}
}
