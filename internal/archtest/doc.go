// Package archtest holds the rules of the architecture: which package may import
// which, and which code may touch the process it runs in. Each rule stands in a
// test with its reason. If a test fails, change the code; change a rule only
// together with docs/ARCHITECTURE.md.
package archtest
