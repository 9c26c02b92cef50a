// Package archtest holds the arrows of the house: which package may reach which,
// and who may touch the process it runs in. They are statements of policy, told
// with their reasons by its tests. A build that breaks one is mended in the
// build; an arrow is changed only with docs/ARCHITECTURE.md.
package archtest
